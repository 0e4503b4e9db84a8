import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { writeFood101 } from '../../../test/benchmark-files';
import { scratchFolder, writeFiles } from '../../../test/scratch';
import { findBenchmarks, openBenchmark, recogniseBenchmark } from './benchmarks';

test('a set is found where it is, in the folder of its name, or in the one folder there is', async () => {
  const root = scratchFolder();
  const inner = path.join(root, 'other name');
  writeFood101(inner);
  const nameOf = async (folder: string) => (await recogniseBenchmark(folder))?.folder;
  expect([await nameOf(inner), await nameOf(root)]).toEqual([inner, inner]);
  mkdirSync(path.join(root, 'beside'));
  expect(await nameOf(root)).toBeUndefined();
  writeFood101(path.join(root, 'food-101'));
  expect(await nameOf(root)).toBe(path.join(root, 'food-101'));
});

test('folders of images and folders that are not there are no published set', async () => {
  const root = scratchFolder();
  writeFiles(root, { 'images/apple/1.jpg': 'x', 'train/a/1.jpg': 'x', 'meta/readme.txt': 'x' });
  expect(await recogniseBenchmark(root)).toBeUndefined();
  expect(await recogniseBenchmark(path.join(root, 'nothing'))).toBeUndefined();
  await expect(openBenchmark(root)).rejects.toThrow(/is no published data set that is known; known are Food-101/);
});

test('all sets below a folder, two folders down', async () => {
  const root = scratchFolder();
  for (const at of ['food-101', 'a/b', 'x/y/z/too-deep']) writeFood101(path.join(root, at));
  expect((await findBenchmarks(root)).map(({ folder }) => path.relative(root, folder)).sort()).toEqual([
    'a/b',
    'food-101',
  ]);
});
