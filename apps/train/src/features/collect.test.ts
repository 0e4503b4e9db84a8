import { expect, test } from 'vitest';
import { shardFeatures } from './collect';
import type { FeatureShard } from './compute-shard';

/** Three blocks of width 2 of each image: `image` * 10 + block, and a patch mean of 100 + `image`. */
const shard = (images: readonly number[]): FeatureShard => ({
  index: { shape: [images.length], data: Int32Array.from(images) },
  blocks: {
    shape: [images.length, 3, 2],
    data: Float32Array.from(images.flatMap((i) => [0, 1, 2].flatMap((b) => [10 * i + b, 10 * i + b]))),
  },
  patch_mean: { shape: [images.length, 2], data: Float32Array.from(images.flatMap((i) => [100 + i, 100 + i])) },
});

const shards = [shard([0, 1]), shard([3])];
const set = { label: (index: number) => 7 - index };

test('only what is asked for is kept, of the images that there are', () => {
  expect(shardFeatures(shards, set, [], { blocks: 1, patchMean: false })).toEqual({
    dim: 2,
    blocks: [Float32Array.of(2, 2, 12, 12, 32, 32)],
    labels: Int32Array.of(7, 6, 4),
  });
  const { blocks, patchMean } = shardFeatures(shards, set, [], { blocks: 2, patchMean: true });
  expect(blocks).toEqual([Float32Array.of(1, 1, 11, 11, 31, 31), Float32Array.of(2, 2, 12, 12, 32, 32)]);
  expect(patchMean).toEqual(Float32Array.of(100, 100, 101, 101, 103, 103));
});
