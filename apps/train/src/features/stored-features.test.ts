import { rm } from 'node:fs/promises';
import { listFeatures } from '@franca/evals/node';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder, writeTinyModel } from '../../test/tiny-model';
import { openImageSets } from '../image-sets/image-set';
import { centreCrop } from '../image-sets/preparation';
import type { FeatureModel } from './compute-shard';
import { openSession } from './session';
import { openStored, storedBytes } from './stored-features';

test('rows are read by range, and are those of the shards', async () => {
  const folder = await temporaryFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  await using session = await openSession({ weights: await writeTinyModel(folder), batchSize: 3, cache: folder });
  const { train, close } = await openImageSets('world:length=7:size=16:classes=2');
  onTestFinished(close);
  const request = { preparation: centreCrop(16), blocks: 2, patchMean: true };
  expect(await session.held(train, request)).toEqual({ images: 0, bytes: 0 });
  const whole = await (await session.stored(train, request)).read(0, 7);
  expect([...whole.blocks, whole.patchMean!].map(({ length }) => length)).toEqual([7 * 16, 7 * 16, 7 * 16]);
  const held = await session.held(train, request);
  expect(held.images).toBe(7);
  expect(held.bytes).toBeGreaterThan(storedBytes(7, 16, request));

  // two images of a CLS token and four patches in a shard
  const small = { ...session.extraction, shardBytes: 2 * 4 * 16 * 5 };
  const stored = await openStored(small, train, request);
  expect([stored.dim, ...stored.images]).toEqual([16, 0, 1, 2, 3, 4, 5, 6]);
  for (const [begin, end] of [
    [0, 7],
    [1, 2],
    [1, 5],
    [6, 7],
    [3, 3],
  ] as const) {
    const { blocks, patchMean } = await stored.read(begin, end);
    const part = (all: Float32Array) => all.subarray(16 * begin, 16 * end);
    expect(blocks).toEqual(whole.blocks.map(part));
    expect(patchMean).toEqual(part(whole.patchMean!));
  }
});

test('each output is computed once, whoever asks for it first, and its bytes are read alone', async () => {
  const folder = await temporaryFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  await using session = await openSession({ weights: await writeTinyModel(folder), batchSize: 4, cache: folder });
  const { train, close } = await openImageSets('world:length=4:size=16:classes=2');
  onTestFinished(close);
  const asked: unknown[] = [];
  const model: FeatureModel = {
    ...session.model,
    run: (images, request) => {
      asked.push([request.blockCls, request.patchMean]);
      return session.model.run(images, request);
    },
  };
  const extraction = { ...session.extraction, model };
  const preparation = centreCrop(16);
  await openStored(extraction, train, { preparation, blocks: 1, patchMean: false });
  await openStored(extraction, train, { preparation, blocks: 2, patchMean: true });
  await openStored(extraction, train, { preparation, blocks: 1, patchMean: true });
  // the token of the last block is there: of the probe only the block before it and the mean are missing
  expect(asked).toEqual([
    [[], false],
    [[0], true],
  ]);
  const [known] = (await listFeatures(folder)).filter(({ key }) => key?.outputs === 'cls of block 1');
  expect(known!.names).toEqual({ model: session.weights.name, data: `${train.dataset} train`, items: 4 });
  expect(known!.items).toBe(4);
});

test('rounded features are others, and whoever uses them is told', async () => {
  const folder = await temporaryFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  const options = { weights: await writeTinyModel(folder), batchSize: 4, cache: folder };
  const { train, close } = await openImageSets('world:length=4:size=16:classes=2');
  onTestFinished(close);
  const request = { preparation: centreCrop(16), blocks: 1, patchMean: false };
  await using plain = await openSession(options);
  await using rounded = await openSession({ ...options, cacheType: 'f16' });
  const [as, halves] = [await plain.stored(train, request), await rounded.stored(train, request)];
  const [[exact], [kept]] = [(await as.read(0, 4)).blocks, (await halves.read(0, 4)).blocks];
  expect(kept).not.toEqual(exact);
  for (const [i, value] of exact!.entries())
    expect(Math.abs(kept![i]! - value)).toBeLessThanOrEqual(2 ** -11 * Math.abs(value));
  expect(plain.weights.notes.join()).not.toMatch(/f16/);
  expect(rounded.weights.notes.join()).toMatch(/features are kept as f16, rounded to 11 bits/);
});

test('what has no room, or cannot be rounded, is refused with what to do', async () => {
  const folder = await temporaryFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  const options = { weights: await writeTinyModel(folder), batchSize: 4, cache: folder };
  const { train, close } = await openImageSets('world:length=4:size=16:classes=2');
  onTestFinished(close);
  await using session = await openSession({ ...options, cacheLimit: 200, cacheType: 'f16' });
  const never: FeatureModel = { ...session.model, run: () => Promise.reject(new Error('is not run')) };
  const request = { preparation: centreCrop(16), blocks: 2, patchMean: false };
  await expect(openStored({ ...session.extraction, model: never }, train, request)).rejects.toThrow(
    /^features of world.* train take 2.88e-7 GB: the cache in .* may take 2e-7 GB; allow more with --cache-limit, /,
  );
  const large: FeatureModel = {
    ...session.model,
    run: async (images, asked) => {
      const features = await session.model.run(images, asked);
      return { ...features, cls: features.cls.fill(7e4) };
    },
  };
  await expect(openStored({ ...session.extraction, model: large }, train, { ...request, blocks: 1 })).rejects.toThrow(
    /70000 in values cannot be kept as f16, whose largest number is 65504; .*--cache-type f32/,
  );
});
