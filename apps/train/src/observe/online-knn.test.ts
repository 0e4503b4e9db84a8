import { DataError, generatedWorld, type ImageSource } from '@franca/data';
import { openGpu } from '@franca/tensor/node';
import { loadVit } from '@franca/vit';
import { expect, test } from 'vitest';
import { tinyConfig, tinyTensors } from '../../test/tiny-model';
import { normalisedBatch, readHeldOutImages } from './held-out-images';
import { clsTokens, knnRight, nearestImages, PIXELS, reducedPixels } from './online-knn';

const world = generatedWorld({ length: 10, size: 32, classes: 3, split: 'val' });
const request = { count: 5, size: 32, labelled: true, decode: {} };

test('held-out images are spread over the source, and those that cannot be read are left out and named', async () => {
  const broken: ImageSource = {
    ...world,
    read: (index, signal) => {
      if (index === 4) throw new DataError('corrupt-image', 'cannot be decoded');
      return world.read(index, signal);
    },
  };
  const { images, indices, labels, skipped } = await readHeldOutImages(broken, request);
  expect(images.length).toBe(4);
  expect(indices).toEqual([0, 2, 6, 8]);
  expect([...labels]).toEqual([0, 2, 6, 8].map((index) => world.label!(index)));
  expect(skipped).toEqual([`${world.key(4)}: cannot be decoded`]);
});

test('a batch past the last image is filled up with zeros', async () => {
  const held = await readHeldOutImages(world, request);
  const { data: batch } = normalisedBatch(held, 4, 2);
  expect(batch.subarray(0, 3 * 32 * 32)).toEqual(normalisedBatch(held, 4, 1).data);
  expect(batch.subarray(3 * 32 * 32).every((value) => value === 0)).toBe(true);
});

test('an image is its own nearest neighbour, by pixels and by features, however the batches fall', async () => {
  const held = await readHeldOutImages(world, request);
  const labels = { train: held.labels, test: held.labels };
  const all = held.images.map(() => 1);
  const both = (rows: Float32Array, dim: number) => ({ train: rows, test: rows, dim });
  const pixels = both(reducedPixels(held), PIXELS);
  expect([...(await knnRight(pixels, labels, 1))]).toEqual(all);
  expect(nearestImages(pixels, 3, 1)).toEqual([3]);
  await using gpu = await openGpu();
  const weights = Object.fromEntries(tinyTensors().map(({ name, data }) => [name, data as Float32Array]));
  using model = await loadVit(gpu, { config: tinyConfig, weights: (name) => weights[name] });
  for (const batch of [1, 4]) {
    const features = both(await clsTokens(model, held, batch), tinyConfig.embedDim);
    expect([...(await knnRight(features, labels, 1))]).toEqual(all);
    for (let query = 0; query < all.length; query++) expect(nearestImages(features, query, 2)[0]).toBe(query);
  }
});
