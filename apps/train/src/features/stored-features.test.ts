import { rm } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder, writeTinyModel } from '../../test/tiny-model';
import { openImageSets } from '../image-sets/image-set';
import { centreCrop } from '../image-sets/preparation';
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
