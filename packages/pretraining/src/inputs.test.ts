import { sizeOf } from '@franca/tensor';
import { vitConfig } from '@franca/vit';
import { expect, test } from 'vitest';
import { drawInputs, drawKept, inputSpecs } from './inputs';
import { pretrainOptions } from './official-options';

const options = pretrainOptions({
  seed: 7,
  batch: { perDevice: 8 },
  vit: vitConfig('tiny', { depth: 2, imgSize: 64, patchSize: 8 }),
  crops: { local_crops_size: 32, local_crops_number: 3 },
  dropPathRates: [0, 0.3],
  schedule: { iterations: 10 },
});

test('kept samples are distinct, in range, and a function of seed, step and branch', () => {
  const kept = drawKept([1, 5], 3, 20, 12);
  expect(new Set(kept).size).toBe(12);
  expect(Math.max(...kept)).toBeLessThan(20);
  expect(drawKept([1, 5], 3, 20, 12)).toEqual(kept);
  expect(drawKept([1, 6], 3, 20, 12)).not.toEqual(kept);
  expect(drawKept([1, 5], 4, 20, 12)).not.toEqual(kept);
});
test('every sample is kept equally often', () => {
  const counts = new Array<number>(10).fill(0);
  for (let step = 0; step < 2000; step++) for (const sample of drawKept([3, step], 0, 10, 4)) counts[sample]!++;
  // 2000 draws at 0.4: standard deviation 22
  for (const count of counts) expect(Math.abs(count - 800)).toBeLessThan(5 * 22);
});
test('masks of a step are the same when drawn again', () => {
  const [a, b, c] = [drawInputs(options, 4).inputs, drawInputs(options, 4).inputs, drawInputs(options, 5).inputs];
  expect(b).toEqual(a);
  expect(c.masks).not.toEqual(a.masks);
  expect(a.maskIndices).toHaveLength(options.masks.bound);
  expect(a.masksWeight.reduce((x, y) => x + y)).toBeCloseTo(8, 4);
});
test('what is drawn has the shapes of the inputs, and all but the crops is drawn', () => {
  const specs = inputSpecs(options);
  const drawn: Record<string, ArrayLike<number>> = { ...drawInputs(options, 0).inputs };
  expect(Object.keys(specs).sort()).toEqual(['globalCrops', 'localCrops', ...Object.keys(drawn)].sort());
  // 16 global and 24 local crops, of which 0.3 are dropped
  expect(specs['kept.1.ffn.global']?.shape).toEqual([11]);
  expect(specs['kept.1.attention.local']?.shape).toEqual([16]);
  expect(specs['kept.0.ffn.global']).toBeUndefined();
  for (const [name, values] of Object.entries(drawn))
    expect([name, values.length]).toEqual([name, sizeOf(specs[name as keyof typeof specs]!.shape)]);
});
