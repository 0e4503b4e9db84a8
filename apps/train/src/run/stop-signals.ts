/**
 * Ctrl-C and SIGTERM end a run after the step at hand, with a checkpoint; a second one ends it at once. Before the first step there is nothing
 * to save: the first ends the work at hand.
 */
import { TrainError } from '../errors';

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];

export interface StopSignals extends Disposable {
  /** The signal that asked to stop, if one did. */
  readonly requested: NodeJS.Signals | undefined;
}

export function listenForStop(onRequest: (signal: NodeJS.Signals) => void): StopSignals {
  let requested: NodeJS.Signals | undefined;
  const handle = (signal: NodeJS.Signals): void => {
    if (requested) process.exit(130);
    requested = signal;
    onRequest(signal);
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
