/**
 * Ctrl-C and SIGTERM end a run after the step at hand, with a checkpoint; a second one ends it at once. SIGUSR1, by which Slurm warns of the end of a job's time,
 * only asks (Node would open its debugger on it; a listener takes its place). Before the first step there is nothing to save: the first signal ends the work at hand.
 */
import { TrainError } from '../errors';

const WARNING: NodeJS.Signals = 'SIGUSR1';
// Windows has no such signal, and refuses a listener
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', ...(process.platform === 'win32' ? [] : [WARNING])];

/** Milliseconds within which a signal that comes again is the same one, passed on by a program around this one. */
const SAME = 100;

export interface StopSignals extends Disposable {
  /** The signal that asked to stop, if one did. */
  readonly requested: NodeJS.Signals | undefined;
}

export function listenForStop(onRequest: (signal: NodeJS.Signals) => void): StopSignals {
  let requested: NodeJS.Signals | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  const handle = (signal: NodeJS.Signals): void => {
    const isSame = performance.now() - askedAt < SAME;
    if (isSame) return;
    const isAgain = requested !== undefined && requested !== WARNING && signal !== WARNING;
    if (isAgain) process.exit(130);
    askedAt = performance.now();
    const isFirst = requested === undefined;
    if (isFirst || signal !== WARNING) requested = signal;
    if (isFirst) onRequest(signal);
  };
  for (const signal of SIGNALS) process.on(signal, handle);
  return {
    get requested() {
      return requested;
    },
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.off(signal, handle);
    },
  };
}

/** Does work before the first step, which ends as soon as the signal that it is given is aborted. @throws TrainError `interrupted` */
export async function untilStopped(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  using _ = listenForStop((signal) =>
    controller.abort(
      new TrainError(
        'interrupted',
        `${signal} before the first step; nothing is lost, the same command starts it again`,
      ),
    ),
  );
  await work(controller.signal);
}
