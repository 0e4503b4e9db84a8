import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, type DataErrorCode } from '@franca/data';
import { openFeatureCache } from '@franca/evals/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder, tinyConfig } from '../../test/tiny-model';
import type { ImageSet } from '../image-sets/image-set';
import { imagesOf } from './collect';
import type { FeatureModel } from './compute-shard';
import { extract, extractFresh } from './extract';
import { createImageVersions } from './image-versions';
import { createLeftOutImages } from './left-out-images';
import type { Extraction } from './shard-files';

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
  version: (index) => `gray ${index}`,
};

/** Gives back the first pixel of each image, so that rows can be told apart. */
function firstPixels(): { model: FeatureModel; batches: number[] } {
  const batches: number[] = [];
  const model: FeatureModel = {
    config: tinyConfig,
    async run({ data, shape: [B, , H, W] }, { blockCls, patches, blockPatches, blockTokens }) {
      batches.push(B);
      const rows = (width: number) =>
        Float32Array.from({ length: B * width }, (_, i) => data[Math.floor(i / width) * 3 * H * W]!);
      return {
        cls: rows(16),
        dim: 16,
        grid: [4, 4],
        heads: tinyConfig.numHeads,
        prefixTokens: 1,
        blockCls: blockCls.map(() => rows(16)),
        patchMean: rows(16),
        patches: patches ? rows(16 * 16) : undefined,
        blockPatches: blockPatches.map((block) => rows(16 * 16).fill(10 + block)),
        blockTokens: blockTokens.map(() => rows(17 * 16).map((_, i) => Math.floor(i / 16) % 17)),
      };
    },
  };
  return { model, batches };
}

const extractionOf = (model: FeatureModel, cache: string, more: Partial<Extraction> = {}): Extraction => ({
  model,
  name: 'first pixels',
  weights: 'w',
  code: 'c',
  versions: createImageVersions(),
  leftOut: createLeftOutImages(),
  cache: openFeatureCache(join(folder, cache)),
  floats: 'f32',
  batchSize: 3,
  ...more,
});

const rowsOf = async (extraction: Extraction, images: ImageSet): Promise<number[]> => {
  const rows: number[] = [];
  for await (const shard of extract(extraction, images, { preparation: { kind: 'squash', size: 32 }, blocks: 1 }))
    rows.push(...imagesOf(shard));
  return rows;
};

/** 40 images of which some cannot be read. */
const damaged = (bad: number, code: DataErrorCode = 'corrupt-image'): ImageSet => ({
  ...set,
  total: 40,
  length: 40,
  async read(index) {
    if (index < bad) throw new DataError(code, 'cannot be decoded');
    return gray(index);
  },
});

test('images that cannot be read are counted and named, from the cache too, and refused above a tenth', async () => {
  const { model, batches } = firstPixels();
  const fresh = extractionOf(model, 'damaged');
  const cached = extractionOf(model, 'damaged');
  const images = damaged(4);
  for (const extraction of [fresh, cached]) {
    expect((await rowsOf(extraction, images)).length).toBe(36);
    expect(extraction.leftOut.notes()).toEqual([
      '4 of 40 images of grays val could not be read and are left out: 0, 1, 2, ...',
    ]);
  }
  const computed = batches.length;
  await expect(rowsOf(extractionOf(model, 'damaged', { leftOut: createLeftOutImages(0.05) }), images)).rejects.toThrow(
    /3 of 40 images of grays val could not be read, more than the allowed share of 0.05:\n {2}0\n {2}1\n {2}2\n.*--max-bad-share/,
  );
  expect(batches.length).toBe(computed);
  await expect(rowsOf(extractionOf(model, 'more'), damaged(20))).rejects.toMatchObject({
    code: 'too-many-bad-images',
    message: expect.stringContaining(
      '5 of 40 images of grays val could not be read, more than the allowed share of 0.1:\n  0: cannot',
    ),
  });
  expect(batches.length, 'refused before anything is computed').toBe(computed);
  const allowed = extractionOf(model, 'allowed', { leftOut: createLeftOutImages(1) });
  expect((await rowsOf(allowed, damaged(39))).length).toBe(1);
  const nothing = extractionOf(model, 'nothing', { leftOut: createLeftOutImages(1) });
  await expect(rowsOf(nothing, damaged(40))).rejects.toThrow(/40 of 40 images of grays val could not be read, all/);
});

test('an image that fails for a passing reason stops the extraction, and nothing without it is kept', async () => {
  const { model } = firstPixels();
  const extraction = extractionOf(model, 'passing');
  await expect(rowsOf(extraction, damaged(1, 'unreadable-now'))).rejects.toThrow(
    /^0 of grays val: cannot be decoded; another attempt may succeed/,
  );
  expect((await rowsOf(extraction, damaged(0))).length).toBe(40);
});

test('an image that was repaired is read again', async () => {
  const { model } = firstPixels();
  expect((await rowsOf(extractionOf(model, 'repaired'), damaged(2))).length).toBe(38);
  const repaired: ImageSet = { ...damaged(0), version: (index) => (index < 2 ? 'repaired' : set.version(index)) };
  expect((await rowsOf(extractionOf(model, 'repaired'), repaired)).length).toBe(40);
});

test('in a session every pass is over the same state, whatever happens to files meanwhile', async () => {
  const { model } = firstPixels();
  let state = 1;
  const moving: ImageSet = { ...damaged(0), version: (index) => `${index} of ${state}` };
  const [first, other] = [extractionOf(model, 'moving'), extractionOf(model, 'moving')];
  await rowsOf(first, moving);
  state = 2;
  await rowsOf({ ...first, onProgress: (_, __, known) => expect(known).toBe(true) }, moving);
  await rowsOf({ ...other, onProgress: (done, __, known) => expect(known).toBe(done < 0) }, moving);
});

test('rows keep their images; an unreadable image is left out; the second time nothing is computed', async () => {
  const { model, batches } = firstPixels();
  const cached: boolean[] = [];
  const extraction = extractionOf(model, 'whole', { onProgress: (_, __, known) => cached.push(known) });
  const options = { preparation: { kind: 'squash', size: 32 }, blocks: 1, patches: true } as const;
  for (const round of ['computed', 'cached']) {
    const shards = [];
    for await (const shard of extract(extraction, set, options)) shards.push(shard);
    const [shard] = shards;
    expect(shards.length, round).toBe(1);
    expect([...shard!.index!.data]).toEqual([0, 1, 3, 4]);
    expect(Object.keys(shard!).sort()).toEqual(['blocks', 'index', 'patches']);
    const normalised = [0, 1, 3, 4].map((value) => Math.fround((value / 255 - 0.485) / 0.229));
    for (const [row, value] of normalised.entries()) expect(shard!.patches!.data[row * 256 + 9]).toBeCloseTo(value, 5);
  }
  expect(batches).toEqual([3, 3]);
  // a batch, the shard, and the shard again
  expect(cached).toEqual([false, false, false, true]);
});

test('images in any order are computed anew each time, in shards of so many', async () => {
  const { model, batches } = firstPixels();
  const extraction = extractionOf(model, 'fresh');
  const request = { preparation: { kind: 'squash', size: 32 }, blocks: 1, images: [4, 2, 0, 3], perShard: 3 } as const;
  for (let pass = 1; pass <= 2; pass++) {
    const shards: number[][] = [];
    for await (const shard of extractFresh(extraction, set, request)) shards.push(imagesOf(shard));
    // image 2 cannot be read
    expect(shards).toEqual([[4, 0], [3]]);
    expect(batches.length).toBe(2 * pass);
  }
  expect(extraction.leftOut.notes()).toEqual(['1 of 5 images of grays val could not be read and are left out: 2']);
});

test('one shard is what it is among all, and read from the cache', async () => {
  const { model, batches } = firstPixels();
  const request = { preparation: { kind: 'squash', size: 32 }, patches: true } as const;
  // two images of 18 tokens
  const extraction = extractionOf(model, 'one shard', { shardBytes: 2 * 4 * 16 * 18 });
  const shards: number[][] = [];
  for await (const shard of extract(extraction, set, request)) shards.push(imagesOf(shard));
  expect(shards).toEqual([[0, 1], [3], [4]]);
  const computed = batches.length;
  for (const [number, images] of shards.entries()) {
    const found: number[][] = [];
    for await (const shard of extract(extraction, set, { ...request, shard: number })) found.push(imagesOf(shard));
    expect(found).toEqual([images]);
  }
  for await (const shard of extract(extraction, set, { ...request, shard: 3 })) throw new Error(`${imagesOf(shard)}`);
  expect(batches.length).toBe(computed);
});
