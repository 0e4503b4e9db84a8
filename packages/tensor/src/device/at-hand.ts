/**
 * Runs that go on in the background, by what they use: state that such a run is in the middle of updating, and ranks that it talks to. Both serve one run at a
 * time. A run without exchanges is in the queue of the device when `run` returns, and needs none of this.
 */
import { TensorError } from '../base/errors';

export interface RunAtHand {
  /** Names the step in messages. */
  readonly owner: string;
  /** Settles with the run. */
  readonly over: Promise<unknown>;
}

const AT_HAND = new WeakMap<object, RunAtHand>();

/** The run at hand that uses `used`, if there is one. */
export const runAtHand = (used: object): RunAtHand | undefined => AT_HAND.get(used);

/** Holds what a run uses until it is over. */
export function holdForRun(used: readonly object[], run: RunAtHand): void {
  for (const one of used) AT_HAND.set(one, run);
  const release = (): void => {
    for (const one of used) AT_HAND.delete(one);
  };
  run.over.then(release, release);
}

/** Throws `TensorError` with code `state` while a run goes on that uses `used`. */
export function refuseDuringRun(used: object): void {
  const run = AT_HAND.get(used);
  if (run) throw new TensorError('state', `${run.owner} still runs; await its done() first`);
}
