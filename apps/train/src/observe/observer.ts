/**
 * Everything that is written down about a run while it trains. A row of figures per log interval, TensorBoard events, k-NN readings, pictures, the report, and
 * words when something looks wrong. It reads the step and never changes it.
 */
import { drawBatch } from './batch-pictures';
import { logInterval } from './interval-log';
import { createJudge } from './notices';
import { deviceBytes, type ObservedRun } from './observed-run';
import { pcaPicture, savePicture } from './pictures';
import { writeReport } from './report';
import { createUpdateRows, type UpdateRows } from './update-rows';

export interface Observer {
  /** Keeps the live line of a terminal up to date, once a second. */
  live(step: number): Promise<void>;
  /** Logs all steps since the last call, judges their health. Throws `TrainError` if the loss is not finite. */
  interval(step: number): Promise<void>;
  /** Measures the teacher. */
  measure(step: number): Promise<void>;
  /** Draws the crops and masks of the batch at hand, and the use of prototypes. */
  draw(step: number, masks: Uint8Array): Promise<void>;
  report(): Promise<void>;
}

export function createObserver(run: ObservedRun): Observer {
  const rows = createUpdateRows(run.step, run.options.batch.accumulation);
  const report = () => reportOn(run);
  const judge = createJudge(run, report);
  return {
    live: liveLine(run, rows),
    async interval(at) {
      const updates = await rows.take();
      if (updates.length > 0) await judge(await logInterval(run, at, updates));
    },
    measure: (at) => measureTeacher(run, at),
    draw: (at, masks) => drawBatch(run, at, masks),
    report,
  };
}

const LOOK_EVERY_MS = 1000;

function liveLine(run: ObservedRun, rows: UpdateRows): Observer['live'] {
  const { options, schedule, record, progress } = run;
  let nextLook = 0;
  return async (at) => {
    if (!progress.live || performance.now() < nextLook) return;
    nextLook = performance.now() + LOOK_EVERY_MS;
    progress.line({
      step: at,
      total: options.schedule.iterations,
      loss: await rows.latestLoss(),
      lr: schedule(at - 1).lr,
      imagesPerSecond: record.pace.imagesPerSecond(),
      secondsLeft: record.pace.secondsLeft(at),
      bytes: deviceBytes(run),
    });
  };
}

async function measureTeacher(run: ObservedRun, at: number): Promise<void> {
  const { options, out, record, reading, log, events, progress } = run;
  const { knn, pixels, picture } = await reading.measure();
  if (picture) await events.picture(at, 'pca', await savePicture(out, 'pca', at, pcaPicture(picture)));
  if (knn === undefined || pixels === undefined) return;
  record.knn = knn;
  await log.append([{ step: at, knn, knn_pixels: pixels }]);
  await events.scalars(at, { knn });
  progress.message(
    `step ${at}: ${options.loop.knn.k}-NN of the teacher ${(100 * knn).toFixed(1)} % (raw pixels ${(100 * pixels).toFixed(1)} %)`,
  );
  await reportOn(run);
}

const reportOn = ({ out, configText, history, options, record }: ObservedRun): Promise<void> =>
  writeReport({
    folder: out,
    title: `franca-train: ${out}`,
    config: configText,
    history,
    neighbours: options.loop.knn.k,
    notices: record.notices,
    secondsSpent: record.seconds(),
    imagesSeen: record.imagesSeen,
  });
