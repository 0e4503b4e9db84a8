/** Calls one after the other, as MPI must see them in one order on all ranks; once something has failed for good, all that wait and all that come reject with it. */
import type { CollectiveError } from './errors';

export interface CallQueue {
  /** Does `work` when all before it has ended. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Ends it all; what is at work is no longer waited for. The first reason stays. */
  fail(reason: CollectiveError): void;
  readonly failure: CollectiveError | undefined;
}

export function callQueue(): CallQueue {
  let last: Promise<void> = Promise.resolve();
  let failure: CollectiveError | undefined;
  const waiting = new Set<(reason: CollectiveError) => void>();
  return {
    run: <T>(work: () => Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        if (failure) return reject(failure);
        waiting.add(reject);
        last = last
          .then(() => (failure ? undefined : work().then(resolve)))
          .catch(reject)
          .finally(() => waiting.delete(reject)) as Promise<void>;
      }),
    fail(reason) {
      failure ??= reason;
      for (const reject of waiting) reject(failure);
      waiting.clear();
    },
    get failure() {
      return failure;
    },
  };
}
