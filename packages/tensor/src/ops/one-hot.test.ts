import { afterAll, beforeAll, test } from 'vitest';
import type { Gpu } from '../device/gpu';
import { openGpu } from '../node';
import { checkOp } from '../testing';
import { oneHot } from './one-hot';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

test('oneHot marks the index; out of range marks nothing', async () => {
  await checkOp(gpu, (x) => oneHot(x, 4), [{ shape: [5], dtype: 'u32', values: [0, 3, 1, 4, 2] }], { tolerance: 0 });
});
