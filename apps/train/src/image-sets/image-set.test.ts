import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writeFood101 } from '../../../../packages/data/test/benchmark-files';
import { temporaryFolder } from '../../test/tiny-model';
import { type ImageSets, openImageSets, openTestSet, type TestedPart } from './image-set';

const PICTURE = new URL('../../../../packages/data/generated-world.webp', import.meta.url);

/** Pictures in class folders, so many of each class of each part; '' for a folder without parts. */
async function folderOf(parts: Readonly<Record<string, number>>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [part, count] of Object.entries(parts))
    for (let i = 0; i < 2 * count; i++) {
      const file = join(folder, part, i % 2 ? 'a' : 'b', `${i}.webp`);
      await mkdir(dirname(file), { recursive: true });
      await copyFile(PICTURE, file);
    }
  return folder;
}

async function opened(...given: Parameters<typeof openImageSets>): Promise<ImageSets> {
  const sets = await openImageSets(...given);
  onTestFinished(() => sets.close());
  return sets;
}

/** What is tested on, how much of it of how many, and what choices may be made on. */
async function told(spec: string, split?: TestedPart): Promise<readonly unknown[]> {
  const { test, validation } = await opened(spec, { split });
  return [test.split, test.length, test.total, validation?.length];
}

test('a set without parts is refused, unless a held-out share is asked for; then the whole set is counted', async () => {
  const folder = await folderOf({ '': 20 });
  for (const split of [undefined, 'val', 'test'] as const)
    await expect(openImageSets(folder, { split })).rejects.toThrow(
      /has no (val|test|validation or test) part of its own; with --split held-out the model is tested on a tenth of it, drawn by seed 0/,
    );
  const { train, test } = await opened(folder, { split: 'held-out' });
  expect([test.split, test.length, test.total, train.length]).toEqual(['held-out', 4, 40, 36]);
  expect(test.notes).toEqual(['4 of 40 images held out (seed 0)']);
});

test('what a run held out of its own data is tested on without a question', async () => {
  const folder = await folderOf({ '': 20 });
  const heldOut = { share: 0.25, seed: 3 };
  const { test } = await opened(folder, { heldOut });
  expect([test.split, test.length, test.total]).toEqual(['val', 10, 10]);
  // nothing else of it is held out of that run
  expect((await opened(folder, { heldOut, split: 'held-out' })).test.length).toBe(10);
});

test('of data with parts, the one that is tested on can be said', async () => {
  const folder = await folderOf({ train: 4, val: 2, test: 3 });
  expect(await told(folder)).toEqual(['val', 4, 4, undefined]);
  expect(await told(folder, 'test')).toEqual(['test', 6, 6, 4]);
  await expect(openImageSets(folder, { split: 'held-out' })).rejects.toThrow(/has parts of its own; leave --split out/);
  expect(await told(await folderOf({ train: 4, test: 3 }), 'test')).toEqual(['test', 6, 6, undefined]);
  const two = await folderOf({ train: 4, val: 2 });
  await expect(openImageSets(two, { split: 'test' })).rejects.toThrow(
    /has no test part besides that for training; it has val/,
  );
});

test('a published data set is tested on its test part and goes by its own name', async () => {
  const folder = await temporaryFolder();
  const picture = await readFile(PICTURE);
  writeFood101(folder, { image: () => picture });
  const { train, test, validation } = await opened(folder);
  expect([train.length, test.length, test.split, test.dataset, validation]).toEqual([
    9,
    3,
    'test',
    'food-101',
    undefined,
  ]);
  expect(test.benchmark!.metric).toBe('top-1');
  await expect(openImageSets(folder, { split: 'val' })).rejects.toThrow(/has no val part .* it has test/);
  await using whole = await openTestSet(folder, { limit: 2 });
  expect([whole.split, whole.length, whole.total]).toEqual(['test', 2, 3]);
  expect(whole.notes).toContain('2 of 3 images of food-101 are used');
});

test('a set to test on is used whole', async () => {
  const folder = await folderOf({ '': 20 });
  await using all = await openTestSet(folder, { name: 'ninco' });
  expect([all.dataset, all.split, all.length, all.total, all.notes]).toEqual(['ninco', 'all', 40, 40, []]);
  await using one = await openTestSet(await folderOf({ train: 2, val: 1, test: 3 }));
  expect([one.split, one.length]).toEqual(['test', 6]);
});
