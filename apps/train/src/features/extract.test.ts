import { rm } from 'node:fs/promises';
import { DataError } from '@franca/data';
import { openFeatureCache } from '@franca/evals/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder, tinyConfig } from '../../test/tiny-model';
import type { ImageSet } from '../image-sets/image-set';
import type { FeatureModel } from './compute-shard';
import { type Extraction, extract } from './extract';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

// Image i is gray i; image 2 cannot be read.
const gray = (value: number) => ({
  width: 40,
  height: 32,
  channels: 3 as const,
  data: new Uint8Array(40 * 32 * 3).fill(value),
});
const set: ImageSet = {
  dataset: 'grays',
  split: 'val',
  total: 5,
  length: 5,
  classes: ['a', 'b'],
  ignore: 255,
  notes: [],
  key: String,
  label: (index) => index % 2,
  async read(index) {
    if (index === 2) throw new DataError('corrupt-image', 'cannot be decoded');
    return gray(index);
  },
  identity: async () => 'grays',
};

/** Gives back the first pixel of each image, so that rows can be told apart. */
function firstPixels(): { model: FeatureModel; batches: number[] } {
  const batches: number[] = [];
  const model: FeatureModel = {
    config: tinyConfig,
    async run({ data, shape: [B, , H, W] }, { blockCls, patches }) {
      batches.push(B);
      const rows = (width: number) =>
        Float32Array.from({ length: B * width }, (_, i) => data[Math.floor(i / width) * 3 * H * W]!);
      return {
        cls: rows(16),
        grid: [4, 4],
        blockCls: blockCls.map(() => rows(16)),
        patchMean: rows(16),
        patches: patches ? rows(16 * 16) : undefined,
      };
    },
  };
  return { model, batches };
}

test('rows keep their images; an unreadable image is left out; the second time nothing is computed', async () => {
  const { model, batches } = firstPixels();
  const cached: boolean[] = [];
  const extraction: Extraction = {
    model,
    weights: 'w',
    cache: openFeatureCache(folder),
    batchSize: 3,
    onProgress: (_, __, known) => cached.push(known),
  };
  const options = { preparation: { kind: 'squash', size: 32 }, patches: true } as const;
  for (const round of ['computed', 'cached']) {
    const shards = [];
    for await (const shard of extract(extraction, set, options)) shards.push(shard);
    const [shard] = shards;
    expect(shards.length, round).toBe(1);
    expect([...shard!.index!.data]).toEqual([0, 1, 3, 4]);
    expect(Object.keys(shard!).sort()).toEqual(['blocks', 'index', 'patch_mean', 'patches']);
    const normalised = [0, 1, 3, 4].map((value) => Math.fround((value / 255 - 0.485) / 0.229));
    for (const [row, value] of normalised.entries()) expect(shard!.patches!.data[row * 256 + 9]).toBeCloseTo(value, 5);
  }
  expect(batches).toEqual([3, 3]);
  expect(cached).toEqual([false, false, true]);
});
