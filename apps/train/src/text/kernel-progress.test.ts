import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { kernelProgress } from './kernel-progress';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

/** What is written while `total` kernels take `seconds` each. */
function written(total: number, seconds: number, isTTY: boolean, last = total): string[] {
  const texts: string[] = [];
  const stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = { isTTY, write: (text) => texts.push(String(text)) > 0 };
  const { onProgress, end } = kernelProgress(stream as NodeJS.WriteStream);
  for (let done = 0; done <= last; done++) {
    onProgress(done, total);
    vi.advanceTimersByTime(1000 * seconds);
  }
  end();
  return texts;
}

test('a terminal has one line, rewritten before each kernel, and a last word', () => {
  expect(written(3, 2, true)).toEqual([
    'preparing kernels 0/3, ETA --',
    '\r\x1b[K',
    'preparing kernels 1/3, ETA 4s',
    '\r\x1b[K',
    'preparing kernels 2/3, ETA 2s',
    '\r\x1b[K',
    '3 kernels prepared in 6s\n',
  ]);
});

test('the line goes when the work was ended', () => {
  expect(written(3, 2, true, 0)).toEqual(['preparing kernels 0/3, ETA --', '\r\x1b[K']);
});

test('a pipe has a line soon, then one every ten seconds', () => {
  expect(written(20, 2, false)).toEqual([
    'preparing kernels 1/20, ETA 38s\n',
    'preparing kernels 6/20, ETA 28s\n',
    'preparing kernels 11/20, ETA 18s\n',
    'preparing kernels 16/20, ETA 8s\n',
    '20 kernels prepared in 40s\n',
  ]);
});

test('what a driver has in its cache is not mentioned', () => {
  expect(written(100, 0.002, false)).toEqual([]);
});
