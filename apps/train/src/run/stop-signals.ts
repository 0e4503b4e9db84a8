/** Ctrl-C and SIGTERM end a run after the step at hand, with a checkpoint; a second Ctrl-C ends it at once. */
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
  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];
  for (const signal of signals) process.on(signal, handle);
  return {
    get requested() {
      return requested;
    },
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, handle);
    },
  };
}
