import { chainBases, foldAfterNorm, projectionMatrix } from '@franca/rasa';
import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { loadVit, weightsFrom } from '@franca/vit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tinyConfig, tinyTensors } from '../../test/tiny-model';
import { openFeatureModel } from './model';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const read = weightsFrom(Object.fromEntries(tinyTensors().map(({ name, data }) => [name, data as Float32Array])));
const images = {
  data: Float32Array.from({ length: 2 * 3 * 32 * 32 }, (_, i) => Math.sin(i * 0.37) + Math.cos(i * 0.011)),
  shape: [2, 3, 32, 32] as const,
};
const largestDifference = (a: Float32Array, b: ArrayLike<number>) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

test('tokens of the last blocks, patch mean and attention are those of the model', async () => {
  using model = await openFeatureModel(gpu, { config: tinyConfig, read });
  using vit = await loadVit(gpu, tinyConfig, read);
  const got = await model.run(images, { blocks: 2, patches: true, attention: true });
  const whole = await vit.inspect(images, [0, 1]);
  expect(got.grid).toEqual([4, 4]);
  for (const block of [0, 1])
    expect(largestDifference(got.blocks[block]!, whole.intermediate[block]!.cls)).toBeLessThan(1e-5);
  expect(largestDifference(got.patches!, whole.patches)).toBeLessThan(1e-5);
  expect(largestDifference(got.attention!, whole.clsAttention)).toBeLessThan(1e-6);
  const mean = Float64Array.from({ length: 2 * 16 }, (_, i) => {
    let sum = 0;
    for (let p = 0; p < 16; p++) sum += whole.patches[(Math.floor(i / 16) * 16 + p) * 16 + (i % 16)]! / 16;
    return sum;
  });
  expect(largestDifference(got.patchMean, mean)).toBeLessThan(1e-5);
  expect((await model.run(images, { blocks: 1 })).patches).toBeUndefined();
});

test('a folded removal gives the patches of the projected ones, and leaves CLS alone', async () => {
  const heads = [0, 1].map((t) => Float32Array.from({ length: 32 }, (_, i) => Math.sin(i * i + 7 * t + 1)));
  const matrix = projectionMatrix(chainBases(heads, 16), 16);
  const folded = foldAfterNorm(matrix, (await read('norm.weight'))!, (await read('norm.bias'))!);
  using plain = await openFeatureModel(gpu, { config: tinyConfig, read });
  using model = await openFeatureModel(gpu, { config: tinyConfig, read, folded });
  const before = await plain.run(images, { blocks: 1, patches: true });
  const after = await model.run(images, { blocks: 1, patches: true });
  const projected = Float64Array.from(before.patches!, (_, i) => {
    let sum = 0;
    for (let d = 0; d < 16; d++) sum += before.patches![i - (i % 16) + d]! * matrix[d * 16 + (i % 16)]!;
    return sum;
  });
  // Tokens are of size 1 to 4; f32 through a sum of 16 products.
  expect(largestDifference(after.patches!, projected)).toBeLessThan(1e-5);
  expect(largestDifference(after.patches!, before.patches!)).toBeGreaterThan(0.1);
  expect(after.blocks).toEqual(before.blocks);
});
