import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Gpu } from '../../device/gpu';
import type { Tensor } from '../../graph/op';
import { openGpu } from '../../node';
import { checkOp } from '../../testing';
import { cast } from '../elementwise';
import { weightNorm } from './weight-norm';

const weight = (g: Tensor, v: Tensor): Tensor => weightNorm(g, v);

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

test.each([
  [1, 1],
  [7, 5],
  [64, 24],
  [13, 384],
])('weight normalisation of %d rows of %d, with gradients', async (K, b) => {
  await checkOp(gpu, weight, [{ shape: [K, 1] }, { shape: [K, b] }]);
});

test('a length of zero gives a zero row with a finite gradient', async () => {
  const result = await checkOp(gpu, weight, [{ shape: [2, 1], values: [0, 1] }, { shape: [2, 3] }]);
  expect(result.gradient).toBeLessThan(1e-6);
});

test('g and v of different row counts are refused', async () => {
  await expect(checkOp(gpu, weight, [{ shape: [3, 1] }, { shape: [2, 3] }])).rejects.toThrow(
    /needs g \[K, 1\] and v \[K, b\]/,
  );
});

test('without subgroups, and in the other kernel family', async () => {
  for (const target of [{ subgroupSize: undefined }, { family: 'gpu' as const }]) {
    await using other = await openGpu({ target });
    await checkOp(other, weight, [{ shape: [9, 1] }, { shape: [9, 36] }]);
  }
});

test('a weight in f16 for f32 parameters', async (context) => {
  context.skip(!gpu.target.f16, 'the adapter has no f16');
  // one rounding to 11 bits of weights and of gradients on their way
  const half = (g: Tensor, v: Tensor): Tensor => cast(weightNorm(g, v, 'f16'), 'f32');
  await checkOp(gpu, half, [{ shape: [6, 1] }, { shape: [6, 12] }], { tolerance: 2e-3, gradientTolerance: 5e-3 });
});
