/**
 * What goes wrong on a device reaches whoever waits for it, at once. A lost device and a refused command reject every promise in flight and
 * every later one. Without this, results would silently be wrong.
 */
import { TensorError } from '../base/errors';

export interface Failures {
  /** What went wrong first, if anything did. */
  readonly first: TensorError | undefined;
  /** Awaits a promise of the device; rejects with the failure if one comes before. */
  wait<T>(promise: Promise<T>): Promise<T>;
  /** Rejects what is awaited, now and later. */
  fail(error: TensorError): void;
  /** From here on the device may go. */
  expectLoss(): void;
}

/**
 * `plainWait` awaits a promise in the way that suits the adapter. `answered` resolves when the driver has answered for every buffer: a command that uses one
 * which it refuses is refused at once, but the buffer is the reason to tell.
 */
export function watchFailures(
  device: GPUDevice,
  plainWait: <T>(promise: Promise<T>) => Promise<T>,
  answered: () => Promise<void>,
): Failures {
  const waiting = new Set<(error: TensorError) => void>();
  let first: TensorError | undefined;
  let refusal: Promise<void> | undefined;
  let lossExpected = false;
  const fail = (error: TensorError): void => {
    first ??= error;
    for (const reject of waiting) reject(error);
    waiting.clear();
  };
  device.lost.then(({ reason, message }) => {
    if (lossExpected) return;
    const said = message || 'no message from the driver';
    fail(new TensorError('device-lost', `the GPU device was lost (${reason}): ${said}`));
  });
  device.addEventListener('uncapturederror', ({ error }) => {
    const refused = new TensorError('refused', `the GPU refused a command: ${error.message}`);
    refusal ??= answered().then(() => fail(refused));
  });
  return {
    get first() {
      return first;
    },
    fail,
    wait: (promise) =>
      new Promise((resolve, reject) => {
        if (first) return reject(first);
        waiting.add(reject);
        plainWait(promise)
          .then(async (value) => {
            await refusal;
            if (first) throw first;
            return value;
          })
          .then(resolve, (error: unknown) => reject(first ?? error))
          .finally(() => waiting.delete(reject));
      }),
    expectLoss() {
      lossExpected = true;
    },
  };
}
