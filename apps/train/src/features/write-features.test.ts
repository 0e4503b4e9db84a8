import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors } from '@franca/checkpoint';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder, tinyConfig } from '../../test/tiny-model';
import type { ImageSet } from '../image-sets/image-set';
import { centreCrop } from '../image-sets/preparation';
import { createLeftOutImages } from './left-out-images';
import type { FeatureSession } from './session';
import { unlabelledNote, writeFeatures } from './write-features';

/** More than a list of arguments can hold. */
const MANY = 200_000;

const setOf = (more: Partial<ImageSet> = {}): ImageSet => ({
  dataset: 'many',
  split: 'all',
  total: MANY,
  length: MANY,
  classes: ['a', 'b'],
  ignore: undefined,
  notes: [],
  key: String,
  label: (index) => index % 2,
  read: () => Promise.reject(new Error('is not read')),
  version: String,
  ...more,
});

test('a shard of 200,000 images is written, its names where there is room for them', async () => {
  const folder = await temporaryFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  const config = { ...tinyConfig, embedDim: 1 };
  const session = {
    model: { config } as FeatureSession['model'],
    weights: {
      name: 'none',
      config,
      assumed: [],
      notes: [],
      rasa: { planes: [], folded: undefined, notes: [] },
    } as Partial<FeatureSession['weights']> as FeatureSession['weights'],
    leftOut: createLeftOutImages(),
    shards: () => ({
      async *[Symbol.asyncIterator]() {
        yield {
          blocks: { shape: [MANY, 1, 1], data: new Float32Array(MANY).fill(1) },
          patch_mean: { shape: [MANY, 1], data: new Float32Array(MANY) },
          index: { shape: [MANY], data: Int32Array.from({ length: MANY }, (_, i) => i) },
        };
      },
    }),
  };
  const path = join(folder, 'features.safetensors');
  const preparation = centreCrop(32);
  const { images } = await writeFeatures(path, session, setOf({ key: (index) => `n01440764/n01440764_${index}` }), {
    preparation,
    patches: false,
  });
  expect(images).toBe(MANY);
  const file = await openSafetensors(path);
  onTestFinished(() => file.close());
  expect(file.tensors.get('labels')!.shape).toEqual([MANY]);
  expect(file.metadata.images).toBeUndefined();
  const names = JSON.parse(`${Buffer.from((await file.read('images')) as Uint8Array)}`);
  expect([names.length, names[7]]).toEqual([MANY, 'n01440764/n01440764_7']);
});

test('labels of -1 are told, with the reason that there is', () => {
  expect(unlabelledNote(setOf())).toBeUndefined();
  expect(unlabelledNote(setOf({ classes: [], label: () => -1 }))).toBeUndefined();
  const whyUnlabelled = 'no file beside them names their classes';
  expect(unlabelledNote(setOf({ length: 4, label: () => -1, whyUnlabelled }))).toBe(
    `4 of 4 images have the label -1: ${whyUnlabelled}`,
  );
  expect(unlabelledNote(setOf({ length: 4, label: (index) => (index === 3 ? -1 : 0) }))).toBe(
    '1 of 4 images have the label -1: e.g. 3',
  );
});
