import { alone, type Communicator } from '@franca/collective';
import { DataError, generatedWorld, type ImageSource } from '@franca/data';
import { openGpu } from '@franca/tensor/node';
import { loadVit } from '@franca/vit';
import { expect, test } from 'vitest';
import { valuesOnRanks } from '../../test/lockstep-communicators';
import { tinyConfig, tinyTensors } from '../../test/tiny-model';
import { clsTokens, PIXELS, reducedPixels } from './online-knn';
import { readSharedImages, rowsOnAll } from './shared-images';

const world = generatedWorld({ length: 11, size: 32, classes: 3, split: 'val' });
const broken: ImageSource = {
  ...world,
  read: (index, signal) => {
    if (index === 4) throw new DataError('corrupt-image', 'cannot be decoded');
    return world.read(index, signal);
  },
};

test('features and figures of shared images are those of one rank to the bit, wherever an unreadable one lies', async () => {
  await using gpu = await openGpu();
  const weights = Object.fromEntries(tinyTensors().map(({ name, data }) => [name, data as Float32Array]));
  using model = await loadVit(gpu, { config: tinyConfig, weights: (name) => weights[name] });
  const measure = async (ranks: Communicator) => {
    const images = await readSharedImages(ranks, broken, { count: 11, size: 32, labelled: true, decode: {} });
    const features = await rowsOnAll(ranks, images, tinyConfig.embedDim, (own) => clsTokens(model, own, 4));
    const pixels = await rowsOnAll(ranks, images, PIXELS, reducedPixels);
    const { indices, labels, skipped, digests } = images;
    return { features, pixels, indices, labels, skipped, digests };
  };
  const whole = await measure(alone());
  expect(whole.indices).toEqual([0, 1, 2, 3, 5, 6, 7, 8, 9, 10]);
  expect(whole.features.length).toBe(10 * tinyConfig.embedDim);
  for (const size of [2, 3]) for (const shared of await valuesOnRanks(size, measure)) expect(shared).toEqual(whole);
});
