/**
 * Everything that is written down about a run while it trains: a row of figures per log interval, TensorBoard events, k-NN readings, pictures, the report,
 * and words when something looks wrong. It reads the step and never changes it.
 */
import type { Gpu, Step } from '@franca/tensor';
import type { PretrainOptions } from '../config/pretrain-options';
import { TrainError } from '../errors';
import { diagnoseHealth, featureSpread, type HealthNotice } from './health';
import type { MetricRow, MetricsLog } from './metrics-log';
import { cropFigures, pcaPicture, savePicture, usagePicture } from './pictures';
import type { Progress } from './progress';
import { writeReport } from './report';
import type { RunRecord } from './run-record';
import type { ScheduledValues } from './schedules';
import type { TeacherReading } from './teacher-reading';
import type { EventWriter } from './tensorboard';

export interface ObserverInput {
  readonly gpu: Gpu;
  readonly options: PretrainOptions;
  readonly folder: string;
  readonly configText: string;
  readonly step: Step<never, never>;
  readonly schedule: (iteration: number) => ScheduledValues;
  readonly record: RunRecord;
  readonly probe: TeacherReading;
  readonly log: MetricsLog;
  readonly events: EventWriter;
  readonly progress: Progress;
  /** Bytes on the device beside the engine's own. */
  readonly extraBytes: number;
}

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

const LOOK_EVERY_MS = 1000;

/** Crops of a kind that are read for the pictures. */
const MOST_CROPS = 24;

export function createObserver(input: ObserverInput): Observer {
  const { gpu, options, folder, step, schedule, record, probe, log, events, progress } = input;

  /** Rows that were read off the device for the live line and wait for the end of the interval. */
  const waiting: Record<string, number>[] = [];
  let nextLook = 0;
  let loss = Number.NaN;
  let known: readonly HealthNotice[] = [];

  async function live(at: number): Promise<void> {
    if (!progress.live || performance.now() < nextLook) return;
    nextLook = performance.now() + LOOK_EVERY_MS;
    waiting.push(...(await step.metrics()));
    loss = waiting.at(-1)?.loss ?? loss;
    progress.line({
      step: at,
      total: options.schedule.iterations,
      loss,
      lr: schedule(at - 1).lr,
      ...record.pace(at),
      bytes: gpu.allocatedBytes + input.extraBytes,
    });
  }

  async function judge(at: number, notices: readonly HealthNotice[]): Promise<void> {
    // what was said once is said again only after it was over
    for (const notice of notices.filter(({ code }) => !known.some((earlier) => earlier.code === code))) {
      record.notices.push(notice);
      progress.message(`${notice.severity}: ${notice.text}`);
    }
    known = notices;
    if (!notices.some(({ code }) => code === 'not-finite')) return;
    const culprit = await step.findNonFinite();
    await report();
    const where = culprit
      ? `; the first bad value came from ${culprit.op} [${culprit.shape.join(', ')}], recorded at ${culprit.site}`
      : '';
    throw new TrainError(
      'run',
      `the loss is not finite at step ${at}${where}. Lower optim.base_lr, or use franca.precision=f32; the last checkpoint is whole`,
    );
  }

  async function interval(at: number): Promise<void> {
    const rows = everyUpdate([...waiting.splice(0), ...(await step.metrics())], options.batch.accumulation);
    const latest = rows.at(-1);
    if (!latest) return;
    record.choose(await step.read('choices'));
    const health = record.health(
      at,
      rows,
      featureSpread(Float32Array.from(await step.read('cls')), options.vit.embedDim),
    );
    const figures = {
      ...record.rates(gpu.allocatedBytes + input.extraBytes),
      feature_std: health.featureStd,
      prototypes_in_use: health.prototypesInUse,
      skipped_steps: health.skipped,
    };
    await log.append(
      rows.map((row, i): MetricRow => {
        const number = at - rows.length + 1 + i;
        return {
          step: number,
          ...clean(row),
          ...scheduled(schedule(number - 1)),
          ...(i === rows.length - 1 ? figures : {}),
        };
      }),
    );
    const finite = Object.entries({ ...latest, ...scheduled(schedule(at - 1)), ...figures }).filter(([, value]) =>
      Number.isFinite(value),
    );
    await events.scalars(at, Object.fromEntries(finite));
    const { loss_scale: scale } = latest;
    const scaling: Record<string, string> =
      scale === undefined ? {} : { scale: scale.toPrecision(3), skipped: String(health.skipped) };
    progress.row({ ...record.cells(at, latest, schedule(at - 1).lr), ...scaling });
    await judge(at, diagnoseHealth(health, at > Math.max(options.schedule.warmup, options.schedule.teacherTempWarmup)));
  }

  async function measure(at: number): Promise<void> {
    const { knn, pixels, picture } = await probe.measure();
    if (picture) await events.picture(at, 'pca', await savePicture(folder, 'pca', at, pcaPicture(picture)));
    if (knn === undefined || pixels === undefined) return;
    record.knn = knn;
    await log.append([{ step: at, knn, knn_pixels: pixels }]);
    await events.scalars(at, { knn });
    progress.message(
      `step ${at}: ${options.run.knn.k}-NN of the teacher ${(100 * knn).toFixed(1)} % (raw pixels ${(100 * pixels).toFixed(1)} %)`,
    );
    await report();
  }

  async function draw(at: number, masks: Uint8Array): Promise<void> {
    const { global_crops_size: globalSize, local_crops_size: localSize, local_crops_number: locals } = options.crops;
    const read = async (name: string, size: number, count: number) =>
      new Float32Array(
        await gpu.readBytes(step.inputBuffer(name as never), 0, 4 * 3 * size * size * Math.min(count, MOST_CROPS)),
      );
    const globalCrops = await read('globalCrops', globalSize, 2 * options.batch.perDevice);
    const localCrops =
      locals > 0 ? await read('localCrops', localSize, locals * options.batch.perDevice) : new Float32Array(0);
    const figures = cropFigures({ globalCrops, globalSize, localCrops, localSize, masks, grid: options.masks.grid });
    await events.picture(at, 'masks', await savePicture(folder, 'masks', at, figures.masks));
    if (figures.locals)
      await events.picture(at, 'local crops', await savePicture(folder, 'local-crops', at, figures.locals));
    if (record.usage.some((count) => count > 0))
      await events.picture(at, 'prototypes', await savePicture(folder, 'prototypes', at, usagePicture(record.usage)));
  }

  const report = (): Promise<void> =>
    writeReport({
      folder,
      title: `franca-train: ${folder}`,
      config: input.configText,
      notices: record.notices,
      secondsSpent: record.seconds(),
      imagesSeen: record.imagesSeen,
    });

  return { live, interval, measure, draw, report };
}

/** Scheduled values under the names of the official training log. */
const scheduled = ({ lr, lastLayerLr, weightDecay, momentum, teacherTemp }: ScheduledValues) => ({
  lr,
  last_layer_lr: lastLayerLr,
  wd: weightDecay,
  mom: momentum,
  teacher_temp: teacherTemp,
});

/** One row per update: losses averaged over its micro-steps, everything else from the last of them. */
function everyUpdate(rows: readonly Record<string, number>[], accumulation: number): Record<string, number>[] {
  return Array.from({ length: Math.floor(rows.length / accumulation) }, (_, i) => {
    const micro = rows.slice(i * accumulation, (i + 1) * accumulation);
    const last = micro.at(-1)!;
    return Object.fromEntries(
      Object.keys(last).map((name) => [
        name,
        /loss$/.test(name) ? micro.reduce((sum, row) => sum + row[name]!, 0) / accumulation : last[name]!,
      ]),
    );
  });
}

/** JSON has no NaN or infinity. */
const clean = (row: Readonly<Record<string, number>>): Record<string, number | null> =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number.isFinite(value) ? value : null]));
