import { expect, test } from 'vitest';
import { memoryKeeper, scenes } from '../../test/support';
import type { SegmentationFeatures } from '../features';
import { overclustering } from './overclustering';

const scene = { grid: [4, 6], patch: 2, classes: 3, dim: 8 } as const;
const clear = scenes({ ...scene, images: 12, noise: 0.05, seed: 1 });
const options = { classes: 3, size: [8, 12], seeds: [0, 1], restarts: 2 } as const;

test('clusters of features that know the class follow it: one to one, and many to one', async () => {
  const { outcomes } = await overclustering(clear, { ...options, clusters: [3, 12] });
  expect(outcomes.map(({ value }) => value)).toEqual([1, 1]);
  expect(outcomes.map(({ hyper }) => hyper.match)).toEqual(['hungarian', 'precision']);
  expect(outcomes[0]).toMatchObject({ task: 'overclustering', seeds: [0, 1], others: { 'seed 0': 1, 'seed 1': 1 } });
});

test('features without the class score low at few clusters and rise with their number', async () => {
  const blurred = scenes({ ...scene, images: 12, noise: 3, seed: 1 });
  const { outcomes } = await overclustering(blurred, { ...options, clusters: [3, 60] });
  expect(outcomes[0]!.value).toBeLessThan(0.6);
  expect(outcomes[1]!.value).toBeGreaterThan(outcomes[0]!.value);
});

test('one cluster per token is bounded by the patches alone', async () => {
  const { outcomes } = await overclustering(scenes({ ...scene, images: 2, noise: 3, seed: 1 }), {
    ...options,
    clusters: [48],
    restarts: 1,
    seeds: [0],
  });
  expect(outcomes[0]!.value).toBeGreaterThan(0.99);
});

test('void pixels are left out', async () => {
  const masks = clear.masks.map((label, i) => (i % 5 === 0 ? 255 : label));
  const { outcomes } = await overclustering({ ...clear, masks }, { ...options, clusters: [3] });
  expect(outcomes[0]!.value).toBe(1);
});

test('an array of batches gives the same as one batch, a generator cannot be read twice', async () => {
  const half = (from: number): SegmentationFeatures => ({
    ...clear,
    patches: clear.patches.slice(from * 192, (from + 6) * 192),
    masks: clear.masks.slice(from * 96, (from + 6) * 96),
  });
  const blurred = { ...options, clusters: [5] };
  const joined = await overclustering([half(0), half(6)], blurred);
  expect(joined.outcomes[0]!.value).toBe((await overclustering(clear, blurred)).outcomes[0]!.value);
  function* once() {
    yield half(0);
  }
  await expect(overclustering(once(), blurred)).rejects.toThrow(/pass an array of batches/);
});

test('what was stopped goes on with the next k-means, to the same bits', async () => {
  const blurred = scenes({ ...scene, images: 12, noise: 3, seed: 1 });
  const asked = { ...options, clusters: [3, 7] };
  const whole = await overclustering(blurred, asked);
  const progress = memoryKeeper(3);
  await expect(overclustering(blurred, { ...asked, progress })).rejects.toThrow('stopped');
  expect(Object.keys(progress.saved()!.arrays)).toEqual([
    '3 clusters, seed 0',
    '3 clusters, seed 1',
    '7 clusters, seed 0',
  ]);
  const { outcomes } = await overclustering(blurred, { ...asked, progress });
  const timeless = (all: typeof outcomes) => all.map((outcome) => ({ ...outcome, wallMs: 0 }));
  expect(timeless(outcomes)).toEqual(timeless(whole.outcomes));
  expect(progress.saved()).toBeUndefined();
});

test('the quirk drops the last incomplete batch of 32 images', async () => {
  const many = scenes({ ...scene, images: 33, noise: 0.05, seed: 1 });
  const { outcomes } = await overclustering(many, { ...options, clusters: [3], quirks: true });
  expect(outcomes[0]).toMatchObject({ evaluated: 32, total: 33, quirks: true });
});
