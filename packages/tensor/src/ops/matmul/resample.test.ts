import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Gpu } from '../../device/gpu';
import { openGpu } from '../../node';
import { checkOp } from '../../testing';
import { resample, resampleMatrix } from './resample';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

test.each(['bilinear', 'bicubic', 'bicubic-antialias'] as const)('%s keeps constants', (filter) => {
  for (const [from, to] of [
    [16, 7],
    [7, 16],
    [5, 5],
    [1, 3],
  ] as const) {
    const matrix = resampleMatrix(from, to, filter);
    for (let i = 0; i < to; i++)
      expect(matrix.subarray(i * from, (i + 1) * from).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  }
});
test('bicubic at the scale (16 + 0.1) / 37: taps of target 0 as published', () => {
  const row = resampleMatrix(37, 16, 'bicubic', 16.1 / 37).subarray(0, 4);
  // source 0.6490683: taps -1 (clamped onto 0), 0, 1, 2
  const expected = [-0.059951 + 0.393905, 0.776929, -0.110883, 0];
  for (const [i, value] of expected.entries()) expect(row[i]).toBeCloseTo(value, 5);
});
test('resample moves [H, W, C] to [h, w, C] with gradient', async () => {
  const [rows, columns] = [resampleMatrix(4, 7, 'bicubic'), resampleMatrix(6, 3, 'bicubic-antialias')];
  await checkOp(gpu, (x) => resample(x, rows, columns), [{ shape: [2, 4, 6, 5] }]);
});
