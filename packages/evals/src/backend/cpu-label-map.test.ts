import { expect, test } from 'vitest';
import { labelMap } from './cpu-label-map';

test('scores are interpolated before the largest is taken', async () => {
  // Class 1 leads weakly on the left, class 0 strongly on the right: the border moves left of the middle.
  const scores = { data: Float32Array.of(0, 1, 3, 0), rows: 2, cols: 2 };
  expect([...(await labelMap({ scores, grid: [1, 2] }, [1, 8]))]).toEqual([1, 1, 1, 0, 0, 0, 0, 0]);
});

test('equal scores name the lowest class', async () => {
  const scores = { data: Float32Array.of(1, 2, 2), rows: 1, cols: 3 };
  expect([...(await labelMap({ scores, grid: [1, 1] }, [2, 2]))]).toEqual([1, 1, 1, 1]);
});
