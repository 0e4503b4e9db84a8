import { mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { writeImageNet, writeImageNetA, writeImageNetR, writeSketch, writeV2 } from '../../../test/imagenet-files';
import { labelsOf, readText, scratchFolder, writeFiles } from '../../../test/scratch';
import { findBenchmarks, openBenchmark, recogniseBenchmark } from './benchmarks';
import { IMAGENET_A_PLACES, IMAGENET_CLASSES, IMAGENET_R_PLACES } from './imagenet-classes';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});

const nameOf = async (folder: string): Promise<string | undefined> =>
  (await recogniseBenchmark(folder))?.layout.facts.name;

test('the lists: 1,000 sorted ids, 200 of them in A and in R, 86 in both', () => {
  expect([IMAGENET_CLASSES.length, new Set(IMAGENET_CLASSES).size]).toEqual([1000, 1000]);
  expect([...IMAGENET_CLASSES].sort()).toEqual(IMAGENET_CLASSES);
  expect([new Set(IMAGENET_A_PLACES).size, new Set(IMAGENET_R_PLACES).size]).toEqual([200, 200]);
  expect(IMAGENET_A_PLACES.filter((place) => IMAGENET_R_PLACES.includes(place))).toHaveLength(86);
  expect([IMAGENET_CLASSES[0], IMAGENET_CLASSES[65], IMAGENET_CLASSES[999]]).toEqual([
    'n01440764',
    'n01751748',
    'n15075141',
  ]);
});

test('ImageNetV2: folders are numbers in the order of numbers', async () => {
  writeV2(root, { places: [2, 10, 999] });
  const { facts, parts, notes } = await openBenchmark(root);
  expect([facts.name, facts.classNames, Object.keys(parts)]).toEqual(['imagenet-v2', 'index', ['test']]);
  expect(parts.test!.classes!.slice(9, 12)).toEqual(['9', '10', '11']);
  // by their paths 10 comes before 2, and each has the label of its number
  expect(labelsOf(parts.test!)).toEqual([10, 10, 2, 2, 999, 999]);
  expect(await readText(parts.test!, 2)).toMatch(/format-val\/2\//);
  expect(notes).toEqual(['test has 6 of the published 10,000 images']);
});

test('the other variants of ImageNetV2 have names of their own, and a folder that does not say says so', async () => {
  for (const variant of ['threshold0.7', 'top-images'] as const) writeV2(root, { variant });
  const names = ['imagenet-v2-threshold-0.7', 'imagenet-v2-top-images'];
  expect((await findBenchmarks(root)).map(({ layout }) => layout.facts.name)).toEqual(names);
  const plain = path.join(root, 'imagenet_v2');
  renameSync(path.join(root, 'imagenetv2-top-images-format-val'), plain);
  const { facts, notes } = await openBenchmark(plain);
  expect(facts.name).toBe('imagenet-v2-unnamed');
  expect(notes[0]).toMatch(
    /does not say by its name which of the three variants .*imagenetv2-matched-frequency-format-val/,
  );
  renameSync(plain, path.join(root, 'numbers'));
  expect(await nameOf(path.join(root, 'numbers'))).toBeUndefined();
});

test.each([
  ['imagenet-a', writeImageNetA, IMAGENET_A_PLACES, '7,500'],
  ['imagenet-r', writeImageNetR, IMAGENET_R_PLACES, '30,000'],
] as const)('%s: 200 classes of its own, by their ids', async (name, write, places, published) => {
  write(root);
  const { facts, parts, notes } = await openBenchmark(root);
  expect([facts.name, facts.classNames, Object.keys(parts)]).toEqual([name, 'wnid', ['test']]);
  expect(parts.test!.classes).toEqual(places.map((place) => IMAGENET_CLASSES[place]));
  expect(labelsOf(parts.test!)).toEqual([11, 11, 13, 13, 71, 71].map((place) => places.indexOf(place)));
  expect(notes).toEqual([`test has 6 of the published ${published} images`]);
  // whatever the folder is called
  renameSync(path.join(root, name), path.join(root, 'other'));
  expect(await nameOf(path.join(root, 'other'))).toBe(name);
  rmSync(path.join(root, 'other', IMAGENET_CLASSES[places[5]!]!), { recursive: true });
  expect(await nameOf(path.join(root, 'other'))).toBeUndefined();
});

test('A and R beside each other are two sets', async () => {
  writeImageNetA(root);
  writeImageNetR(root);
  expect(await nameOf(path.join(root, 'imagenet-r'))).toBe('imagenet-r');
  expect((await findBenchmarks(root)).map(({ layout }) => layout.facts.name)).toEqual(['imagenet-a', 'imagenet-r']);
  await expect(recogniseBenchmark(root)).rejects.toThrow(
    /ImageNet-A in .* and ImageNet-R in .*; give the folder of one/,
  );
});

test('ImageNet-Sketch: 1,000 classes and no parts', async () => {
  writeSketch(root, { places: [0, 999] });
  const { facts, parts, notes } = await openBenchmark(root);
  expect([facts.name, Object.keys(parts)]).toEqual(['imagenet-sketch', ['test']]);
  expect(labelsOf(parts.test!)).toEqual([0, 0, 999, 999]);
  expect(notes).toEqual(['test has 4 of the published 50,889 images']);
});

test("ImageNet's own images in class folders are none of these sets", async () => {
  writeImageNet(root);
  expect([await nameOf(path.join(root, 'val')), await nameOf(path.join(root, 'train'))]).toEqual([
    undefined,
    undefined,
  ]);
  const part = path.join(root, 'part');
  for (const place of IMAGENET_A_PLACES) mkdirSync(path.join(part, IMAGENET_CLASSES[place]!), { recursive: true });
  writeFiles(part, { [`${IMAGENET_CLASSES[11]}/ILSVRC2012_val_00000007.JPEG`]: 'x' });
  expect(await nameOf(part)).toBeUndefined();
});
