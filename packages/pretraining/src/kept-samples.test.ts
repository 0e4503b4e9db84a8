import { expect, test } from 'vitest';
import { drawKept } from './kept-samples';

const list = { stream: 3, group: 0, count: 20, kept: 12 };

test('kept samples are distinct, in range, and a function of seed, step, branch and group', () => {
  const kept = drawKept([1, 5], list);
  expect(new Set(kept).size).toBe(12);
  expect(Math.max(...kept)).toBeLessThan(20);
  expect(drawKept([1, 5], list)).toEqual(kept);
  expect(drawKept([1, 6], list)).not.toEqual(kept);
  expect(drawKept([1, 5], { ...list, stream: 4 })).not.toEqual(kept);
  expect(drawKept([1, 5], { ...list, group: 1 })).not.toEqual(kept);
});

test('every sample is kept equally often', () => {
  const counts = new Array<number>(10).fill(0);
  for (let step = 0; step < 2000; step++)
    for (const sample of drawKept([3, step], { stream: 0, group: 1, count: 10, kept: 4 })) counts[sample]!++;
  // 2000 draws at 0.4: standard deviation 22
  for (const count of counts) expect(Math.abs(count - 800)).toBeLessThan(5 * 22);
});
