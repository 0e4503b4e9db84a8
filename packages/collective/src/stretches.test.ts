import { expect, test } from 'vitest';
import { equalStretches, stretchesOf } from './stretches';

test.each([
  [100, 3, [48, 48, 4]],
  [16, 4, [16, 0, 0, 0]],
  [0, 2, [0, 0]],
  [1, 3, [1, 0, 0]],
])('%i values over %i ranks, in whole cache lines', (n, size, counts) => {
  const stretches = stretchesOf(n, size);
  expect([...stretches.counts]).toEqual(counts);
  counts.reduce((start, count, rank) => {
    expect(stretches.starts[rank]).toBe(start);
    return start + count;
  }, 0);
});

test('equal stretches for all', () => {
  expect(equalStretches(3, 2)).toEqual({ counts: Int32Array.of(3, 3), starts: Int32Array.of(0, 3) });
  expect([...equalStretches(0, 2).counts]).toEqual([0, 0]);
});
