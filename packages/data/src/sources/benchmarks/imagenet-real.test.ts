import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { writeImageNet, writeReal } from '../../../test/imagenet-files';
import { scratchFolder, writeFiles } from '../../../test/scratch';
import { openBenchmark } from './benchmarks';
import { realLabels } from './imagenet-real';

let root: string;
let file: string;
beforeEach(() => {
  root = scratchFolder();
  file = path.join(root, 'real.json');
});

const openVal = async () => (await openBenchmark(root)).parts.val!;

test('each image has the classes of its number, whatever the order of the files', async () => {
  writeImageNet(root, { places: [950, 7] });
  writeReal(file, [[], [970, 795], [7], [950]]);
  const real = await realLabels(file);
  expect([real.lists.length, real.lists[1]]).toEqual([50_000, [970, 795]]);
  // in the order of class folders: images 2 and 4 are of class 7, images 1 and 3 of class 950
  expect(real.accepted(await openVal())).toEqual([[970, 795], [950], [], [7]]);
});

test('images whose names carry no number of their own are refused', async () => {
  writeReal(file, []);
  const real = await realLabels(file);
  const named = (...keys: readonly string[]) => ({ length: keys.length, key: (index: number) => keys[index]! });
  expect(
    real.accepted(named('val/n01440764/ILSVRC2012_val_00000293.JPEG', 'ILSVRC2012_val_00000294_n01440764.JPEG')),
  ).toEqual([[], []]);
  for (const key of ['0.jpg', 'ILSVRC2012_val_00050001.JPEG', 'ILSVRC2012_val_00000000.JPEG', 'n01440764_10026.JPEG'])
    expect(() => real.accepted(named(key))).toThrow(
      /does not carry the number of a validation image in its name; .*real.json has the labels of ILSVRC2012_val_00000001/,
    );
  expect(() => real.accepted(named('a/ILSVRC2012_val_00000003.JPEG', 'b/ILSVRC2012_val_00000003.JPEG'))).toThrow(
    /^b\/ILSVRC2012_val_00000003.JPEG has the number of a\//,
  );
});

test.each([
  ['no JSON', '[[1', /no JSON/],
  ['no list', '{"a": 1}', /holds no list/],
  ['another length', '[[1], [2]]', /2 entries in place of 50,000/],
  ['a class beyond', lists('[1000]'), /entry 3 is no list of classes from 0 to 999/],
  ['no number', lists('["7"]'), /entry 3/],
  ['lists in lists', lists('[[7]]'), /entry 3/],
  ['a class twice', lists('[7, 7]'), /entry 3/],
  ['deep nesting', '['.repeat(1e5), /no JSON/],
])('%s is refused', async (_, text, message) => {
  writeFiles(root, { 'real.json': text });
  await expect(realLabels(file)).rejects.toMatchObject({
    code: 'damaged-file',
    message: expect.stringMatching(message),
  });
});

function lists(fourth: string): string {
  return `[[], [], [], ${fourth}${', []'.repeat(49_996)}]`;
}

test('a file that is not there is named', async () => {
  await expect(realLabels(file)).rejects.toThrow(/real.json is not a readable file/);
});
