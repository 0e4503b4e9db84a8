/** Says when something looks wrong with a run, once until it is over, and ends a run whose loss is not finite. */
import { TrainError } from '../errors';
import { diagnoseHealth, type HealthNotice, type HealthReading } from './health';
import type { ObservedRun } from './observed-run';

/** Judges one reading after the other. @throws TrainError `run` where the loss is not finite, after `onEnd` */
export type Judge = (reading: HealthReading) => Promise<void>;

export function createJudge(
  { options, step, record, progress }: ObservedRun,
  onEnd: (step: number) => Promise<unknown>,
): Judge {
  const { warmup, teacherTempWarmup } = options.schedule;
  let known: readonly HealthNotice[] = [];
  return async (reading) => {
    const notices = diagnoseHealth(reading, reading.step > Math.max(warmup, teacherTempWarmup));
    // what was said once is said again only after it was over
    for (const notice of notices.filter(({ code }) => !known.some((earlier) => earlier.code === code))) {
      record.notices.push(notice);
      progress.message(`${notice.severity}: ${notice.text}`);
    }
    known = notices;
    record.trouble = notices;
    if (!notices.some(({ code }) => code === 'not-finite')) return;
    // kernel by kernel the ranks would not go on together
    const culprit = options.ranks.size === 1 ? await step.findNonFinite() : undefined;
    await onEnd(reading.step);
    const where = culprit
      ? `; the first bad value came from ${culprit.op} [${culprit.shape.join(', ')}], recorded at ${culprit.site}`
      : '';
    throw new TrainError(
      'run',
      `the loss is not finite at step ${reading.step}${where}; lower optim.base_lr, or use franca.precision=f32; the last checkpoint is whole`,
    );
  };
}
