import { upperBound } from '@franca/cyclic-mask';
import { expect, test } from 'vitest';
import { drawKept, drawMasks } from './step-inputs';

const options = {
  seed: 7,
  batch: { perDevice: 8, accumulation: 1, total: 8 },
  masks: {
    strategy: 'cyclic' as const,
    probability: 0.5,
    ratio: [0.1, 0.65] as const,
    grid: [8, 8] as const,
    bound: upperBound({ crops: 16, grid: { height: 8, width: 8 } }),
  },
};

test('kept samples are distinct, in range, and a function of seed, step and branch', () => {
  const kept = drawKept(1, 5, 3, 20, 12);
  expect(new Set(kept).size).toBe(12);
  expect(Math.max(...kept)).toBeLessThan(20);
  expect(drawKept(1, 5, 3, 20, 12)).toEqual(kept);
  expect(drawKept(1, 6, 3, 20, 12)).not.toEqual(kept);
  expect(drawKept(1, 5, 4, 20, 12)).not.toEqual(kept);
});
test('every sample is kept equally often', () => {
  const counts = new Array<number>(10).fill(0);
  for (let stream = 0; stream < 2000; stream++) for (const sample of drawKept(3, stream, 0, 10, 4)) counts[sample]!++;
  // 2000 draws at 0.4: standard deviation 22
  for (const count of counts) expect(Math.abs(count - 800)).toBeLessThan(5 * 22);
});
test('masks of a step are the same when drawn again', () => {
  const [a, b, c] = [drawMasks(options, 4), drawMasks(options, 4), drawMasks(options, 5)];
  expect(b).toEqual(a);
  expect(c.masks).not.toEqual(a.masks);
  expect(a.maskIndices).toHaveLength(options.masks.bound);
  expect(a.masksWeight.reduce((x, y) => x + y)).toBeCloseTo(8, 4);
});
