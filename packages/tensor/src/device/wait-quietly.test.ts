import { afterEach, expect, test, vi } from 'vitest';
import { waitQuietly } from './wait-quietly';

afterEach(() => vi.restoreAllMocks());

/** The most naps that lay before the JavaScript thread at once while `work` went on. */
async function mostNapsAtOnce(work: () => Promise<unknown>): Promise<number> {
  const later = setImmediate;
  let scheduled = 0;
  let most = 0;
  vi.spyOn(globalThis, 'setImmediate').mockImplementation(((nap: () => void) => {
    most = Math.max(most, ++scheduled);
    return later(() => {
      scheduled--;
      nap();
    });
  }) as typeof setImmediate);
  await work();
  return most;
}

const timer = (): Promise<void> => waitQuietly(new Promise((resolve) => setTimeout(resolve, 1)));

test('waits that follow each other at once take no more naps than one', async () => {
  const inTurn = async () => {
    for (let i = 0; i < 20; i++) await timer();
  };
  expect(await mostNapsAtOnce(inTurn)).toBe(1);
});

test('nor do many at once', async () => {
  expect(await mostNapsAtOnce(() => Promise.all(Array.from({ length: 20 }, timer)))).toBe(1);
});

test('what is waited for passes through, and a rejection too', async () => {
  expect(await waitQuietly(Promise.resolve(7))).toBe(7);
  await expect(waitQuietly(Promise.reject(new Error('gone')))).rejects.toThrow('gone');
});
