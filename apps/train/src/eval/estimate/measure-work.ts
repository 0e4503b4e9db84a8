/**
 * How long work takes, from runs of it in small. The first run is not counted, since kernels compile in it. Then the size grows until a run takes several times as
 * long as the smallest; the difference of the two is the time of their units, and what is left of it is there at any size:
 *
 *     time(units) = constant + rate * units
 */
import type { Trial, Work } from './task-cost';
import { addTimes, NO_TIME, startWatch, type TimeTaken, timesOf } from './time-taken';

/** A run that takes so long, and so many times as long as the smallest, is told from what is constant and from the noise of a machine. */
const LONG_ENOUGH = 0.5;
const TIMES = 4;
/** One that takes so long is not run in a larger size. */
const TOO_LONG = 8;
const LARGEST = 2 ** 24;

export interface MeasuredWork {
  readonly name: string;
  readonly units: number;
  readonly constant: TimeTaken;
  readonly each: TimeTaken;
  readonly time: TimeTaken;
}

export async function measureWork(work: Work): Promise<MeasuredWork> {
  const { name, units } = work;
  if (units === 0) return { name, units, constant: NO_TIME, each: NO_TIME, time: NO_TIME };
  await work.trial(1).run();
  const first = await sample(work.trial(1));
  let last = first;
  for (let scale = 4; scale <= LARGEST && last.units < units; scale *= 4) {
    const isEnough = last.time.seconds >= Math.max(LONG_ENOUGH, TIMES * first.time.seconds);
    if (isEnough || last.time.seconds > TOO_LONG) break;
    last = await sample(work.trial(scale));
  }
  const { constant, each } = lineThrough(last === first ? undefined : first, last);
  return { name, units, constant, each, time: addTimes(constant, each, units) };
}

export interface Sample {
  readonly units: number;
  readonly time: TimeTaken;
}

async function sample({ units, run }: Trial): Promise<Sample> {
  const watch = startWatch();
  await run();
  return { units, time: watch() };
}

/** The time of one unit and of none. Where noise hides the difference, all is taken for that of units. */
export function lineThrough(before: Sample | undefined, last: Sample): { constant: TimeTaken; each: TimeTaken } {
  const whole = timesOf(last.time, 1 / last.units);
  const difference = before && timesOf(addTimes(last.time, before.time, -1), 1 / (last.units - before.units));
  const each = difference && difference.seconds > 0 && difference.processor > 0 ? difference : whole;
  const left = addTimes(last.time, each, -last.units);
  return { each, constant: { seconds: Math.max(0, left.seconds), processor: Math.max(0, left.processor) } };
}
