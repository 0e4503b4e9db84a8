/**
 * Waiting for a software adapter in Node without taking its processor time. Awaiting a promise of the bindings spins the JavaScript thread,
 * which takes processor time from the adapter's own threads.
 */

/** Polls as usual for about a millisecond, then naps between polls. */
export function waitQuietly<T>(promise: Promise<T>): Promise<T> {
  const word = new Int32Array(new SharedArrayBuffer(4));
  const began = performance.now();
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  const nap = () => {
    if (settled) return;
    if (performance.now() - began > 1) Atomics.wait(word, 0, 0, 0.5);
    setImmediate(nap);
  };
  setImmediate(nap);
  return promise;
}
