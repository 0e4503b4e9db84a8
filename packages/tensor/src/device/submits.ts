/**
 * A run is submitted in pieces of bounded time: a long submit trips driver watchdogs and freezes displays. A piece ends where a value leaves for other
 * ranks, so that it does so at once, and begins where one comes back.
 */
import { kernelSeconds } from '../plan/cost';
import type { Plan } from '../plan/plan-types';

/** Consecutive steps: some that receive, each as soon as it can; some that compute and some that send, which are submitted together. */
export interface Submit {
  readonly from: number;
  /** The first step that computes, and the one after the last. */
  readonly computesFrom: number;
  readonly computesTo: number;
  readonly to: number;
}

/** The steps `first` to `end` of a plan, the last excluded, split where the expected time of a submit reaches `seconds`, and around exchanges. */
export function boundSubmits(
  { steps, target }: Plan,
  seconds: number,
  first = 0,
  end: number = steps.length,
): readonly Submit[] {
  const submits: Submit[] = [];
  let from = first;
  do {
    const computesFrom = skipKind('receive', from);
    let computesTo = computesFrom;
    for (let time = 0; computesTo < end; computesTo++) {
      const step = steps[computesTo]!;
      if (step.kind === 'send' || step.kind === 'receive') break;
      time += step.kind === 'kernel' ? kernelSeconds(step.kernel, target) : 0;
      if (computesTo > computesFrom && time > seconds) break;
    }
    const to = skipKind('send', computesTo);
    submits.push({ from, computesFrom, computesTo, to });
    from = to;
  } while (from < end);
  return submits;

  function skipKind(kind: 'send' | 'receive', at: number): number {
    let next = at;
    while (next < end && steps[next]!.kind === kind) next++;
    return next;
  }
}
