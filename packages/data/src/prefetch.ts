/**
 * Loads ahead of the consumer, in order.
 *
 * `load` runs on up to `inFlight` items at once, and up to `ahead` results wait for the consumer; results come out in the
 * order of the items whatever order they finish in, which is what makes a run reproducible. Nothing starts before the first
 * pull and nothing outlives the generator: leaving the loop, an error or an abort stops the loads in flight and waits for
 * them.
 */

import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkCount, checkOptions, DataError } from './errors';

export interface PrefetchOptions {
  /** Loads running at once. */
  readonly inFlight: number;
  /** Results loaded or loading beyond the one being consumed. Default and minimum `inFlight`. */
  readonly ahead?: number;
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: OptionKinds<PrefetchOptions> = { inFlight: 'number', ahead: 'number', signal: 'object' };

/**
 * Maps `items` through `load`, several at a time, keeping their order.
 * @param items may be endless; the next one is drawn only when there is room for it
 * @param load is given a signal that fires when the result is no longer wanted; a load that ignores it is waited for
 * @throws what `load` throws, when its item's turn comes; the signal's reason once it is aborted
 */
export async function* prefetch<Item, Result>(
  items: Iterable<Item>,
  load: (item: Item, signal: AbortSignal) => Promise<Result>,
  options: PrefetchOptions,
): AsyncGenerator<Result, void, undefined> {
  checkArgument('prefetch', 'load', load, 'function');
  checkOptions('prefetch', options, OPTIONS);
  const { inFlight, signal } = options;
  checkCount('prefetch', 'inFlight', inFlight, 1);
  if (typeof items !== 'object' || items === null || !(Symbol.iterator in items))
    throw new DataError(
      'bad-argument',
      'prefetch: items are no series; give an array or another iterable, not an async one',
    );
  const ahead = Math.max(inFlight, options.ahead ?? inFlight);
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });

  const iterator = items[Symbol.iterator]();
  const queue: Promise<Result>[] = [];
  const limited = limitConcurrency(inFlight);
  const fill = (): void => {
    while (queue.length < ahead && !stop.signal.aborted) {
      const next = iterator.next();
      if (next.done) return;
      const result = limited(() => {
        stop.signal.throwIfAborted();
        return load(next.value, stop.signal);
      });
      // A failure is reported when its turn comes; until then it must not count as unhandled.
      result.catch(() => {});
      queue.push(result);
    }
  };

  try {
    for (;;) {
      fill();
      signal?.throwIfAborted();
      const head = queue.shift();
      if (!head) return;
      const result = await head;
      fill();
      yield result;
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stop.abort();
    await Promise.allSettled(queue);
    iterator.return?.();
  }
}

function limitConcurrency(limit: number): <T>(task: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
