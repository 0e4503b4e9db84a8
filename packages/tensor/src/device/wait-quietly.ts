/**
 * Waiting for a software adapter in Node without taking its processor time. Awaiting a promise of the bindings spins the JavaScript thread,
 * which takes processor time from the adapter's own threads.
 */

/** When each wait that goes on began, the oldest first. */
const WAITS = new Set<{ readonly began: number }>();
const WORD = new Int32Array(new SharedArrayBuffer(4));
let isNapping = false;

/** Polls as usual for about a millisecond, then naps between polls; many waits at once take the same naps. */
export function waitQuietly<T>(promise: Promise<T>): Promise<T> {
  const own = { began: performance.now() };
  WAITS.add(own);
  // a wait that follows another at once finds the naps of that one still going on
  if (!isNapping) setImmediate(nap);
  isNapping = true;
  const settle = () => {
    WAITS.delete(own);
  };
  promise.then(settle, settle);
  return promise;
}

function nap(): void {
  const [oldest] = WAITS;
  isNapping = oldest !== undefined;
  if (!oldest) return;
  if (performance.now() - oldest.began > 1) Atomics.wait(WORD, 0, 0, 0.5);
  setImmediate(nap);
}
