/** The figures of a log interval, into `metrics.jsonl`, TensorBoard and the table of the terminal. */
import type { ScheduledValues } from '@franca/pretraining';
import { duration } from '../text/amounts';
import { featureSpread, type HealthReading } from './health';
import type { MetricRow } from './metrics-log';
import { deviceBytes, type ObservedRun } from './observed-run';
import type { Row } from './update-rows';

/** Updates to log, and the teacher's CLS tokens of the last one [2B, D]. */
export interface Interval {
  readonly rows: readonly Row[];
  readonly cls: Float32Array;
}

/** Logs the updates that ended with step `at`; returns what tells the health of the run. */
export async function logInterval(run: ObservedRun, at: number, { rows, cls }: Interval): Promise<HealthReading> {
  const { schedule, record, log, events, progress } = run;
  const health = await readHealth(run, at, { rows, cls });
  const rates = { ...record.pace.interval(), memory_bytes: deviceBytes(run) };
  const figures: Row = {
    ...rates,
    feature_std: health.featureStd,
    prototypes_in_use: health.prototypesInUse,
    skipped_steps: health.skipped,
  };
  const named = rows.map((row, i): Row & { readonly step: number } => {
    const step = at - rows.length + 1 + i;
    return { step, ...row, ...scheduled(schedule(step - 1)), ...(i === rows.length - 1 ? figures : {}) };
  });
  await log.append(named.map(clean));
  const { step: _, ...latest } = named.at(-1)!;
  await events.scalars(at, Object.fromEntries(Object.entries(latest).filter(([, value]) => Number.isFinite(value))));
  progress.row({ ...tableCells(run, at, latest), ...scalingCells(latest, health) });
  return health;
}

async function readHealth(
  { step, record, options }: ObservedRun,
  at: number,
  { rows, cls }: Interval,
): Promise<HealthReading> {
  const last = rows.at(-1)!;
  record.usage.choose(await step.read('choices'));
  return {
    step: at,
    loss: last.loss!,
    featureStd: featureSpread(cls, options.vit.embedDim),
    teacherEntropy: last.teacher_entropy!,
    prototypesInUse: record.usage.shareInUse(),
    skipped: rows.filter((row) => row.finite === 0).length,
    stepsSince: rows.length,
  };
}

/** Scheduled values under the names of the official training log. */
const scheduled = ({ lr, lastLayerLr, backboneLr, weightDecay, momentum, teacherTemp }: ScheduledValues) => ({
  lr,
  ...(backboneLr === undefined ? {} : { backbone_lr: backboneLr }),
  last_layer_lr: lastLayerLr,
  wd: weightDecay,
  mom: momentum,
  teacher_temp: teacherTemp,
});

/** JSON has no NaN or infinity. */
const clean = ({ step, ...row }: Row & { readonly step: number }): MetricRow => ({
  step,
  ...Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number.isFinite(value) ? value : null])),
});

const tableCells = ({ record, options }: ObservedRun, at: number, row: Row): Record<string, string> => ({
  step: `${at}/${options.schedule.iterations}`,
  loss: row.loss!.toFixed(3),
  global: row.dino_global_crops_loss!.toFixed(3),
  local: row.dino_local_crops_loss!.toFixed(3),
  ibot: row.ibot_loss!.toFixed(3),
  koleo: row.koleo_loss!.toFixed(3),
  lr: row.lr!.toExponential(2),
  'img/s': row.images_per_second!.toFixed(1),
  'wait ms': row.data_wait_ms!.toFixed(0),
  ETA: duration(record.pace.secondsLeft(at)),
});

const scalingCells = ({ loss_scale }: Row, { skipped }: HealthReading): Record<string, string> =>
  loss_scale === undefined ? {} : { scale: loss_scale.toPrecision(3), skipped: String(skipped) };
