/** A run is submitted in pieces of bounded time: a long submit trips driver watchdogs and freezes displays. */
import { kernelSeconds } from '../plan/cost';
import type { Plan } from '../plan/plan-types';

/** Ranges of steps, split where the expected time of a submit reaches `seconds`. */
export function boundSubmits({ steps, target }: Plan, seconds: number): [from: number, to: number][] {
  const ranges: [number, number][] = [];
  let from = 0;
  let time = 0;
  steps.forEach((step, i) => {
    const cost = step.kind === 'kernel' ? kernelSeconds(step.kernel, target) : 0;
    if (i > from && time + cost > seconds) {
      ranges.push([from, i]);
      from = i;
      time = 0;
    }
    time += cost;
  });
  ranges.push([from, steps.length]);
  return ranges;
}
