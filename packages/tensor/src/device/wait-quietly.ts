/**
 * Waiting for a software adapter in Node without taking its processor time. Awaiting a promise of the bindings spins the JavaScript thread,
 * which takes processor time from the adapter's own threads.
 */

/** When each wait that goes on began, the oldest first. */
const WAITS = new Set<{ readonly began: number }>();
const WORD = new Int32Array(new SharedArrayBuffer(4));

/** Polls as usual for about a millisecond, then naps between polls; many waits at once take the same naps. */
export function waitQuietly<T>(promise: Promise<T>): Promise<T> {
  const own = { began: performance.now() };
  if (WAITS.size === 0) setImmediate(nap);
  WAITS.add(own);
  const settle = () => {
    WAITS.delete(own);
  };
  promise.then(settle, settle);
  return promise;
}

function nap(): void {
  const [oldest] = WAITS;
  if (!oldest) return;
  if (performance.now() - oldest.began > 1) Atomics.wait(WORD, 0, 0, 0.5);
  setImmediate(nap);
}
