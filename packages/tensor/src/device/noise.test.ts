import { afterAll, beforeAll, expect, test } from 'vitest';
import { BYTES_PER_ELEMENT, decode } from '../base/dtype';
import { openGpu } from '../node';
import { GPU_BUFFER_USAGE } from './flags';
import type { Gpu } from './gpu';
import { fillWithNoise, noiseAt } from './noise';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu({ tuning: false });
});
afterAll(() => gpu.dispose());

// fewer elements than are uploaded, and twice as many and some
test.each([
  ['f32', 5],
  ['f16', 5],
  ['f32', 2 ** 19 + 3],
  ['f16', 2 ** 19 + 3],
] as const)('noise of %s, %d elements of it, is what is said of it', async (dtype, count) => {
  const usage = GPU_BUFFER_USAGE.COPY_SRC | GPU_BUFFER_USAGE.COPY_DST;
  const buffer = gpu.createBuffer('filled', count * BYTES_PER_ELEMENT[dtype], usage);
  fillWithNoise(gpu, buffer, { count, dtype, seed: 1 });
  const bytes = await gpu.readBytes(buffer, 0, count * BYTES_PER_ELEMENT[dtype]);
  gpu.destroyBuffer(buffer);
  const values = decode(bytes, dtype, count);
  const at = noiseAt(1, dtype);
  expect(values.every((value, i) => value === at(i))).toBe(true);
  expect(new Set(values.subarray(0, 4093)).size).toBeGreaterThan(Math.min(count, 1000) - 1);
  expect([at(0), at(1)]).not.toEqual([noiseAt(0, dtype)(0), noiseAt(0, dtype)(1)]);
});
