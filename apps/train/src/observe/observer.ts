/**
 * Everything that is written down about a run while it trains. A row of figures per log interval, TensorBoard events, k-NN readings, pictures, the report, and
 * words when something looks wrong. It reads the step and never changes it.
 */
import { join } from 'node:path';
import { drawBatch } from './batch-pictures';
import { belowStart } from './below-start';
import { bestReading } from './best-reading';
import { logInterval } from './interval-log';
import { knnFigures } from './knn-figures';
import { looksFigures } from './looks-figures';
import { readMetrics } from './metrics-log';
import { createJudge } from './notices';
import { deviceBytes, type ObservedRun } from './observed-run';
import type { BothParts } from './online-knn';
import { outcomeOf, saveOutcome } from './outcome';
import { savePicture } from './pictures';
import { writeReport } from './report';
import { saveRunStart } from './run-start';
import type { Looks } from './teacher-reading';
import { createUpdateRows, type UpdateRows } from './update-rows';
import { percent, type RunOutcome } from './verdict';

export interface Observer {
  /** Keeps the live line of a terminal up to date, once a second. */
  live(step: number): Promise<void>;
  /** Logs all steps since the last call, judges their health; `cls`: the teacher's CLS tokens of the last one [2B, D]. Throws `TrainError` if the loss is not finite. */
  interval(step: number, cls: Float32Array): Promise<void>;
  /** Writes down what the teacher is worth by its features; with looks also draws what it makes of a few pictures. */
  measure(step: number, features: BothParts | undefined, withLooks: boolean): Promise<void>;
  /** Draws the crops and masks of the batch at hand, and the use of prototypes. */
  draw(step: number, masks: Uint8Array): Promise<void>;
  /** Writes the report of a run that ends here, and tells what came of it. */
  report(step: number): Promise<RunOutcome>;
}

export function createObserver(run: ObservedRun): Observer {
  const rows = createUpdateRows(run.step, run.options.batch.accumulation);
  const report = (step: number) => reportOn(run, { step, running: false });
  const judge = createJudge(run, report);
  return {
    live: liveLine(run, rows),
    async interval(at, cls) {
      const updates = await rows.take();
      if (updates.length > 0) await judge(await logInterval(run, at, { rows: updates, cls }));
    },
    measure: teacherMeasure(run),
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

/** When the teacher's looks are due: at the first and the last reading, and once in an interval of pictures. Called for every reading. */
export function looksDue(picturesEvery: number): (step: number, isLast: boolean) => boolean {
  let drawn: number | undefined;
  return (at, isLast) => {
    drawn ??= at;
    const isDue = at === 0 || isLast || (picturesEvery > 0 && at - drawn >= picturesEvery);
    if (isDue) drawn = at;
    return isDue;
  };
}

/** Reads the teacher: figures, pictures, and a report that shows them. The first reading is kept, for later ones to be compared with. */
function teacherMeasure(run: ObservedRun): Observer['measure'] {
  const { record, reading, weights, out } = run;
  return async (at, features, withLooks) => {
    const { right, looks } = await reading.figures(features, withLooks);
    if (at === 0 && looks) {
      record.start = { weights, pictures: reading.pictures, right, looks };
      await saveRunStart(out, record.start);
    } else if (looks) await drawLooks(run, at, looks);
    if (right) await logKnn(run, at, right);
    await reportOn(run, { step: at, running: true });
  };
}

async function drawLooks({ out, record, reading, events }: ObservedRun, at: number, looks: Looks): Promise<void> {
  const { start } = record;
  const places = [...looks.nearest, ...(start?.looks.nearest ?? [])].flat();
  const { train, test, shown } = reading;
  const shownImages = { shown, test, train: { labels: train.labels, images: await reading.images(places) } };
  for (const [kind, figure] of Object.entries(looksFigures(shownImages, looks, start)))
    await events.picture(at, kind, await savePicture(out, kind, at, figure));
}

async function logKnn({ options, record, reading, log, events, progress }: ObservedRun, at: number, right: Uint8Array) {
  const { k } = options.loop.knn;
  const labels = { train: reading.train.labels, test: reading.test.labels };
  const { start } = record;
  const before = at > 0 && start?.right ? { right: start.right, weights: start.weights } : undefined;
  const figures = knnFigures({ right, pixels: reading.pixels!, start: before }, { step: at, k }, labels);
  const isFirst = record.knn === undefined;
  const wasBelow = record.knn !== undefined && belowStart(record.knn) !== undefined;
  record.knn = figures;
  record.best = bestReading(record.best, figures);
  const { share, pixels, chance } = figures;
  await log.append([
    { step: at, knn: share, knn_pixels: pixels.share, ...(figures.start ? { knn_start: figures.start.share } : {}) },
  ]);
  await events.scalars(at, { knn: share });
  const references = [
    ...(figures.start ? [`${figures.start.weights} ${percent(figures.start.share)}`] : []),
    `raw pixels ${percent(pixels.share)}`,
    `chance ${percent(chance)}`,
  ];
  if (isFirst)
    progress.message(
      `${k}-NN: share of ${figures.images} held-out pictures that get their own class from their\n${k} nearest training pictures, by the features of the teacher`,
    );
  progress.message(`step ${at}: ${k}-NN ${percent(share)} (${references.join(', ')})`);
  const notice = belowStart(figures);
  // said once until it is over
  if (!notice || wasBelow) return;
  record.notices.push(notice);
  progress.message(`${notice.severity}: ${notice.text}`);
}

async function reportOn(run: ObservedRun, now: Pick<RunOutcome, 'step' | 'running'>): Promise<RunOutcome> {
  const { out, configText, history, record } = run;
  const rows = await readMetrics(join(out, 'metrics.jsonl'));
  const outcome = outcomeOf(run, rows, now);
  await saveOutcome(out, outcome);
  await writeReport({
    folder: out,
    rows,
    outcome,
    config: configText,
    history,
    notices: record.notices,
    secondsSpent: record.seconds(),
    imagesSeen: record.imagesSeen,
  });
  return outcome;
}
