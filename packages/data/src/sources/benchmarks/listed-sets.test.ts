/** The data sets whose parts are lists of their authors, each in a tree as its archives unpack it: parts, classes, labels, keys, what is told and what is refused. */

import { mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import * as write from '../../../test/benchmark-files';
import { matFile } from '../../../test/mat-files';
import { keysOf, labelsOf, readText, scratchFolder, writeFiles } from '../../../test/scratch';
import type { ImageSource } from '../../images/image-source';
import { subset } from '../../loading/subset';
import type { Benchmark } from './benchmark';
import { BENCHMARKS, findBenchmarks, openBenchmark, recogniseBenchmark } from './benchmarks';

/** Writes a set into a new folder and opens it. */
async function made<Options>(
  writeSet: (root: string, options?: Options) => void,
  options?: Options,
): Promise<Benchmark & { readonly root: string }> {
  const root = scratchFolder();
  writeSet(root, options);
  return { ...(await openBenchmark(root)), root };
}

/** Class names of all images of a part, in order. */
const namesOf = ({ train, val, test: scored }: Benchmark['parts']): (string[] | undefined)[] =>
  [train, val, scored].map((part) => part && labelsOf(part).map((label) => part.classes![label!]!));

/** Replaces a file and expects that opening the set is refused. */
async function refuses(
  root: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  message: RegExp,
): Promise<void> {
  writeFiles(root, files);
  await expect(openBenchmark(root)).rejects.toThrow(message);
  await expect(openBenchmark(root)).rejects.toMatchObject({ name: 'DataError' });
}

const WRITERS = {
  'food-101': write.writeFood101,
  'cifar-10': write.writeCifar10,
  'cifar-100': write.writeCifar100,
  sun397: write.writeSun397,
  'stanford-cars': write.writeStanfordCars,
  'fgvc-aircraft': write.writeFgvcAircraft,
  dtd: write.writeDtd,
  'oxford-pets': write.writeOxfordPets,
  'caltech-101': write.writeCaltech101,
  'oxford-flowers-102': write.writeOxfordFlowers102,
  'cub-200-2011': write.writeCub200,
  'voc-2007': write.writeVoc2007,
};
/** Where torchvision puts them below one root, or their archives do. */
const FOLDERS: Record<string, string> = {
  'cifar-10': 'cifar-10-batches-bin',
  'cifar-100': 'cifar-100-binary',
  sun397: 'SUN397',
  'stanford-cars': 'stanford_cars',
  'fgvc-aircraft': 'fgvc-aircraft-2013b',
  dtd: 'dtd/dtd',
  'oxford-pets': 'oxford-iiit-pet',
  'caltech-101': 'caltech101',
  'oxford-flowers-102': 'flowers-102',
  'cub-200-2011': 'CUB_200_2011',
  'voc-2007': '.',
};

test('all of them below one root are found, each once and as itself; the root alone is ambiguous', async () => {
  const root = scratchFolder();
  for (const [name, writeSet] of Object.entries(WRITERS)) writeSet(path.join(root, FOLDERS[name] ?? name));
  const found = await findBenchmarks(root);
  const known = BENCHMARKS.map(({ facts }) => facts.name).filter((name) => name in WRITERS);
  expect(found.map(({ layout }) => layout.facts.name)).toEqual(known);
  for (const { layout, folder } of found) {
    const benchmark = await layout.open(folder);
    expect([layout.facts.name, (await recogniseBenchmark(folder))?.layout]).toEqual([layout.facts.name, layout]);
    for (const part of Object.values(benchmark.parts)) expect(part.classes).toEqual(benchmark.parts.train!.classes);
  }
  await expect(recogniseBenchmark(root)).rejects.toThrow(
    /holds Food-101 in .* and CIFAR-10 in .*; give the folder of one/,
  );
});

test.each(Object.entries(WRITERS))('%s: all images are there, with keys of their own', async (name, writeSet) => {
  const { facts, parts } = await made(writeSet);
  expect(facts.name).toBe(name);
  const sources = Object.values(parts) as ImageSource[];
  const keys = sources.flatMap(keysOf);
  expect(new Set(keys).size).toBe(keys.length);
  for (const source of sources) if (source.folder) expect(await readText(source, source.length - 1)).toMatch(/^image /);
});

test('CIFAR: batches as parts; pickles of Python are refused with what to download', async () => {
  const ten = await made(write.writeCifar10);
  expect(namesOf(ten.parts)).toEqual([
    ['airplane', 'airplane', 'airplane', 'automobile', 'automobile', 'automobile', 'bird', 'bird', 'bird'],
    undefined,
    ['airplane', 'automobile', 'bird'],
  ]);
  expect(ten.notes).toEqual([
    'train has 9 of the published 50,000 images',
    'test has 3 of the published 10,000 images',
  ]);
  const hundred = await made(write.writeCifar100);
  expect(hundred.parts.test!.classes!.slice(0, 4)).toEqual(['apple', 'aquarium_fish', 'baby', '3']);
  expect(labelsOf(hundred.parts.test!)).toEqual([0, 1, 2]);
  const root = scratchFolder();
  const pickles = { test_batch: 'x', data_batch_1: 'x', 'batches.meta': 'x' };
  await refuses(path.join(root, 'cifar-10-batches-py'), pickles, /as pickles of Python.*download the binary version/);
  write.writeCifar10(path.join(root, 'cifar-10-batches-bin'));
  expect((await findBenchmarks(root)).map(({ folder }) => path.basename(folder))).toEqual(['cifar-10-batches-bin']);
});

describe('SUN397', () => {
  test('classes are paths; the lists lie in it, in Partitions, or beside it', async () => {
    const { parts, notes } = await made(write.writeSun397);
    expect(parts.train!.classes).toEqual(['a/abbey', 'a/apartment_building/outdoor', 'b/bakery/shop']);
    expect(parts.train!.classTitles![1]).toBe('apartment building outdoor');
    expect(labelsOf(parts.test!)).toEqual([0, 0, 1, 1, 2, 2]);
    expect(keysOf(parts.train!)[3]).toBe('a/apartment_building/outdoor/sun_000004.jpg');
    expect(notes[0]).toBe('the first of its ten published splits');
    for (const lists of ['Partitions', '..', '../Partitions']) {
      const root = path.join(scratchFolder(), 'SUN397');
      mkdirSync(root);
      write.writeSun397(root, { lists });
      for (const given of [root, path.dirname(root)])
        expect((await openBenchmark(given)).parts.train!.length, lists).toBe(9);
    }
  });

  test('without the lists, or with paths that are none, it is refused', async () => {
    const { root } = await made(write.writeSun397);
    await refuses(
      root,
      { 'Testing_01.txt': 'a/abbey/sun_1.jpg\n' },
      /Testing_01.txt line 1: .* does not begin with a slash/,
    );
    await refuses(root, { 'Testing_01.txt': '/a/../../x.jpg\n' }, /is no path below/);
    await refuses(root, { 'Testing_01.txt': '/a/abbey/x/y.jpg\n' }, /is of class a\/abbey\/x, which is none of the 3/);
    rmSync(path.join(root, 'Training_01.txt'));
    await refuses(root, {}, /Training_01.txt is neither in .*; it comes with Partitions.zip/);
  });
});

describe('Stanford Cars', () => {
  test('annotations of the devkit; labels of the test images beside it or in it', async () => {
    const { parts, root } = await made(write.writeStanfordCars);
    const [hummer, ram] = ['AM General Hummer SUV 2000', 'Ram C/V Cargo Van Minivan 2012'];
    expect(namesOf(parts)).toEqual([[hummer, hummer, hummer, ram, ram, ram], undefined, [hummer, hummer, ram, ram]]);
    expect(keysOf(parts.test!)[0]).toBe('cars_test/00007.jpg');
    const labels = 'cars_test_annos_withlabels.mat';
    renameSync(path.join(root, labels), path.join(root, 'devkit', labels));
    expect((await openBenchmark(root)).parts.test!.length).toBe(4);
    rmSync(path.join(root, 'devkit', labels));
    await refuses(root, {}, /labels of the test images are missing: put cars_test_annos_withlabels.mat into/);
  });

  test('images in a folder of the same name again', async () => {
    const { root } = await made(write.writeStanfordCars);
    renameSync(path.join(root, 'cars_train'), path.join(root, 'moved'));
    mkdirSync(path.join(root, 'cars_train'));
    renameSync(path.join(root, 'moved'), path.join(root, 'cars_train/cars_train'));
    expect(keysOf((await openBenchmark(root)).parts.train!)[0]).toBe('cars_train/cars_train/00001.jpg');
  });

  test.each([
    [{ records: [{ fname: '../../x.jpg', class: 1 }] }, /annotations cannot be used in place 1/],
    [{ records: [{ fname: '00001.jpg', class: 197 }] }, /annotations cannot be used in place 1/],
    [{ records: [{ fname: '00001.jpg', class: 0.5 }] }, /annotations cannot be used in place 1/],
    [{ records: [{ fname: '00001.jpg' }] }, /annotations cannot be used in place 1/],
    ['text', /annotations is no array of structures/],
  ])('annotations such as %j are refused', async (annotations, message) => {
    const { root } = await made(write.writeStanfordCars);
    await refuses(root, { 'devkit/cars_train_annos.mat': matFile({ annotations }) }, message);
  });
});

test('FGVC-Aircraft: names with spaces and slashes, at its root and at data', async () => {
  const { parts, root } = await made(write.writeFgvcAircraft);
  expect(namesOf(parts)).toEqual([
    ['707-320', '707-320', 'F/A-18', 'F/A-18', 'Cessna 172', 'Cessna 172'],
    ['707-320', 'F/A-18', 'Cessna 172'],
    ['707-320', '707-320', 'F/A-18', 'F/A-18', 'Cessna 172', 'Cessna 172'],
  ]);
  expect((await openBenchmark(path.join(root, 'data'))).parts.val!.length).toBe(3);
  await refuses(root, { 'data/images_variant_val.txt': '0000007 F/A-19\n' }, /line 1: .* is of class F\/A-19/);
  await refuses(root, { 'data/images_variant_val.txt': '0000007\n' }, /has 1 fields in place of 2/);
});

test('DTD: the folders of the lists are the classes', async () => {
  const { parts, root, notes } = await made(write.writeDtd);
  expect(parts.train!.classes).toEqual(['banded', 'blotchy', 'zigzagged']);
  expect([labelsOf(parts.train!), labelsOf(parts.val!), labelsOf(parts.test!)]).toEqual([
    [0, 0, 1, 1, 2, 2],
    [0, 1, 2],
    [0, 0, 1, 1, 2, 2],
  ]);
  expect(keysOf(parts.val!)[0]).toBe('images/banded/banded_0007.jpg');
  expect(notes).toContain('val has 3 of the published 1,880 images');
  await refuses(root, { 'labels/val1.txt': 'banded_0007.jpg\n' }, /is no path of a class and an image/);
});

test('Pets: breeds by their numbers, named by their files', async () => {
  const { parts, root } = await made(write.writeOxfordPets);
  expect(parts.train!.classes).toEqual(['Abyssinian', 'american_bulldog', 'Bengal']);
  expect(labelsOf(parts.test!)).toEqual([0, 0, 1, 1, 2, 2]);
  expect(keysOf(parts.train!)[2]).toBe('images/american_bulldog_3.jpg');
  const list = 'annotations/trainval.txt';
  await refuses(
    root,
    { [list]: 'Abyssinian_1 38 1 1\n' },
    /trainval.txt line 1: .* has 38 where a number from 1 to 37/,
  );
  await refuses(root, { [list]: 'Abyssinian_1 2 1 1\n' }, /gives american_bulldog the number of Abyssinian/);
  await refuses(root, { [list]: '../x_1 1 1 1\n' }, /is no path below/);
});

describe('Caltech-101', () => {
  test('30 of each class are drawn for training, the background is a class, and both are said', async () => {
    const { parts, notes, root } = await made(write.writeCaltech101);
    expect(parts.train!.classes).toEqual(['BACKGROUND_Google', 'Faces_easy', 'accordion', 'car_side']);
    expect([parts.train!.length, parts.test!.length]).toEqual([120, 8]);
    expect(labelsOf(parts.test!)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
    expect(notes.slice(0, 2)).toEqual([
      '30 images of each class are drawn for training by seed 0, the rest is for testing: there are no official parts, and the draw behind published numbers is not published',
      '1 files are no pictures by their names and not used, e.g. BACKGROUND_Google/tmp',
    ]);
    const again = await openBenchmark(path.join(root, '101_ObjectCategories'));
    expect(keysOf(again.parts.test!)).toEqual(keysOf(parts.test!));
  });

  test('a class without images for testing is told', async () => {
    const { root } = await made(write.writeCaltech101);
    for (const id of [1, 2]) rmSync(path.join(root, `101_ObjectCategories/BACKGROUND_Google/image_000${id}.jpg`));
    const { notes } = await openBenchmark(root);
    expect(notes).toContain('1 classes have no more than 30 images and none for testing, e.g. BACKGROUND_Google (30)');
  });
});

describe('Flowers 102', () => {
  test('labels by number, the large part is for testing', async () => {
    const { parts, notes } = await made(write.writeOxfordFlowers102);
    expect(namesOf(parts)).toEqual([
      ['1', '2', '3'],
      ['1', '2', '3'],
      ['1', '1', '1', '2', '2', '2', '3', '3', '3'],
    ]);
    expect(keysOf(parts.val!)).toEqual(['jpg/image_00004.jpg', 'jpg/image_00005.jpg', 'jpg/image_00006.jpg']);
    expect(notes).not.toContainEqual(expect.stringMatching(/no original/));
  });

  test('a copy whose parts were exchanged is told', async () => {
    const { notes } = await made(write.writeOxfordFlowers102, { train: 3, test: 1 });
    expect(notes[0]).toMatch(/setid.mat is no original: its training part is larger than its test part/);
  });

  test.each([
    ['setid.mat', { trnid: [1, 16], valid: [2], tstid: [3] }, /trnid holds 16, which is no number from 1 to 15/],
    ['setid.mat', { trnid: [0], valid: [2], tstid: [3] }, /trnid holds 0/],
    ['setid.mat', { trnid: [1], valid: [2] }, /tstid is no matrix of numbers/],
    ['imagelabels.mat', { labels: [1, 2, 103] }, /labels holds 103, which is no number from 1 to 102/],
  ])('%s with %j is refused', async (name, variables, message) => {
    const { root } = await made(write.writeOxfordFlowers102);
    await refuses(root, { [name]: matFile(variables) }, message);
  });

  test('a missing file is named, and one that is none is damaged', async () => {
    const { root } = await made(write.writeOxfordFlowers102);
    await refuses(root, { 'setid.mat': '<html>not found</html>' }, /setid.mat is no MATLAB file of version 5 to 7/);
    rmSync(path.join(root, 'setid.mat'));
    await refuses(root, {}, /setid.mat is not there; it comes from the page of the data set/);
  });
});

test('CUB-200-2011: four lists by the number of the image', async () => {
  const { parts, root } = await made(write.writeCub200);
  expect(parts.train!.classTitles).toEqual(['Black footed Albatross', 'Laysan Albatross']);
  expect([labelsOf(parts.train!), labelsOf(parts.test!)]).toEqual([
    [0, 0, 1, 1],
    [0, 0, 1, 1],
  ]);
  expect(keysOf(parts.test!)[0]).toBe('images/001.Black_footed_Albatross/Black_footed_Albatross_0005.jpg');
  const split = 'train_test_split.txt';
  await refuses(root, { [split]: '1 1\n2 0\n' }, /images.txt line 3: .* has no line in .*train_test_split.txt/);
  await refuses(root, { [split]: '1 1\n1 0\n' }, /line 2: "1 0" has a number that was there before/);
  await refuses(
    root,
    { 'image_class_labels.txt': '1 3\n', [split]: '1 1\n' },
    /is of a class that .*classes.txt does not have/,
  );
});

describe('VOC 2007', () => {
  const MAIN = 'VOCdevkit/VOC2007/ImageSets/Main';

  test('several classes an image, and those that are difficult', async () => {
    const { parts, facts, root } = await made(write.writeVoc2007);
    expect(facts.metric).toBe('11-point-map');
    const scored = parts.test!;
    expect([scored.length, scored.label, keysOf(scored)[0]]).toEqual([20, undefined, 'JPEGImages/000041.jpg']);
    expect([scored.labels!(0), scored.difficult!(0)]).toEqual([[0, 1], [2]]);
    expect([scored.labels!(19), scored.difficult!(19)]).toEqual([[0, 19], [1]]);
    const last = subset(scored, 'last', 1, () => 19);
    expect([last.labels!(0), last.difficult!(0)]).toEqual([[0, 19], [1]]);
    for (const at of ['VOCdevkit', 'VOCdevkit/VOC2007'])
      expect((await openBenchmark(path.join(root, at))).parts.val!.length).toBe(20);
  });

  test('without the second archive there is no test part, and that is said', async () => {
    const { parts, notes } = await made(write.writeVoc2007, { test: 0 });
    expect([parts.train!.length, parts.val!.length, parts.test]).toEqual([20, 20, undefined]);
    expect(notes[0]).toBe('there is no test part: its lists and images come with VOCtest_06-Nov-2007.tar');
  });

  test('another year in the same folders is another data set', async () => {
    const { root } = await made(write.writeVoc2007);
    renameSync(path.join(root, 'VOCdevkit/VOC2007'), path.join(root, 'VOC2012'));
    rmSync(path.join(root, 'VOC2012/JPEGImages/000001.jpg'));
    expect((await recogniseBenchmark(path.join(root, 'VOC2012')))?.layout.facts.name).toBe('voc-2007');
    rmSync(path.join(root, 'VOC2012/JPEGImages/000005.jpg'));
    expect(await recogniseBenchmark(path.join(root, 'VOC2012'))).toBeUndefined();
  });

  test("data of one's own in its folders, without lists of its classes, are none", async () => {
    const root = scratchFolder();
    const lists = Object.fromEntries(['train', 'val', 'trainval'].map((part) => [`${MAIN}/${part}.txt`, '000001\n']));
    writeFiles(root, { ...lists, 'VOCdevkit/VOC2007/JPEGImages/000001.jpg': 'image' });
    expect(await recogniseBenchmark(root)).toBeUndefined();
  });

  test('lists that do not agree are refused', async () => {
    const { root } = await made(write.writeVoc2007);
    const cat = `${MAIN}/cat_val.txt`;
    await refuses(
      root,
      { [cat]: '000021 -1\n' },
      /cat_val.txt: "000022" is an image of .*aeroplane_val.txt that is not in this list/,
    );
    await refuses(root, { [cat]: '000099 -1\n' }, /line 1: .* is an image that .*aeroplane_val.txt does not have/);
    await refuses(root, { [cat]: '000021 2\n' }, /has 2 where 1, 0 or -1 stands/);
    rmSync(path.join(root, cat));
    await refuses(root, {}, /cat_val.txt is not there; it comes with VOCtrainval_06-Nov-2007.tar/);
  });
});
