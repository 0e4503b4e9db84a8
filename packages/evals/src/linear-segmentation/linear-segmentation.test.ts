import { expect, test } from 'vitest';
import { scenes } from '../../test/support';
import { cpuBackend } from '../backend/cpu';
import { linearSegmentation } from './linear-segmentation';
import { scoreHead, segmentationHeads, takeImages } from './segmentation-heads';

const scene = { grid: [4, 6], patch: 2, classes: 3, dim: 8, noise: 0.3 } as const;
const train = scenes({ ...scene, images: 20, seed: 1 });
const testSet = scenes({ ...scene, images: 10, seed: 2 });
const options = {
  classes: 3,
  size: [8, 12],
  epochs: 6,
  dropAfter: 4,
  batchSize: 4,
  learningRates: [1e-5, 0.1],
} as const;

test('a linear head on features that know the class segments other images', async () => {
  const { outcome, candidates } = await linearSegmentation(train, testSet, options);
  expect(outcome.value).toBeGreaterThan(0.9);
  expect(outcome).toMatchObject({
    selectedOn: 'train-holdout',
    quirks: false,
    evaluated: 10,
    hyper: { learningRate: 0.1 },
  });
  expect(candidates.length).toBe(12);
});

test('a score does not depend on how many images are scored at once', async () => {
  const [many, head] = [scenes({ ...scene, images: 67, seed: 3 }), segmentationHeads(8, 3, [0.1], 0)[0]!.initial];
  const score = async (images: readonly number[]) =>
    scoreHead(cpuBackend, head, takeImages(many, images), { classes: 3 }, { size: [8, 12] });
  const all = await score([...Array(67).keys()]);
  const reversed = await score([...Array(67).keys()].reverse());
  expect(all).toEqual(reversed);
  let correct = 0;
  for (let i = 0; i < 67; i++) correct += (await score([i])).pixelAccuracy;
  expect(all.pixelAccuracy).toBeCloseTo(correct / 67, 12);
});

test('choosing learning rate and epoch on the test images is possible and said', async () => {
  const { outcome, candidates } = await linearSegmentation(train, testSet, { ...options, select: 'test' });
  expect(outcome.value).toBe(Math.max(...candidates.map(({ miou }) => miou)));
  expect(outcome).toMatchObject({ selectedOn: 'test', quirks: true });
});

test('the quirk of scoring whole batches only leaves images out, and the record says how many', async () => {
  const { outcome } = await linearSegmentation(train, testSet, { ...options, epochs: 1, quirks: true });
  expect(outcome).toMatchObject({ evaluated: 8, total: 10, quirks: true });
});

test('void pixels teach nothing', async () => {
  const masks = train.masks.map((label, i) => (i % 2 ? 255 : label));
  const { outcome } = await linearSegmentation({ ...train, masks }, testSet, { ...options, learningRates: [0.1] });
  expect(outcome.value).toBeGreaterThan(0.9);
});

test('augmented batches replace the cached ones', async () => {
  const epochs: number[] = [];
  function* augmented(epoch: number) {
    epochs.push(epoch);
    for (let step = 0; step < 5; step++) yield scenes({ ...scene, images: 4, seed: 10 + 5 * epoch + step });
  }
  const { outcome } = await linearSegmentation(train, testSet, {
    ...options,
    augmented,
    select: { validation: train },
  });
  expect(epochs).toEqual([0, 1, 2, 3, 4, 5]);
  expect(outcome).toMatchObject({ selectedOn: 'validation' });
  expect(outcome.value).toBeGreaterThan(0.9);
  await expect(linearSegmentation(train, testSet, { ...options, augmented })).rejects.toThrow(/validation set/);
});
