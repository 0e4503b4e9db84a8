import { renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { writeDevkit, writeImageNet, writeImageNetA, writeKaggle } from '../../../test/imagenet-files';
import { matFile } from '../../../test/mat-files';
import { keysOf, labelsOf, readText, scratchFolder, writeFiles } from '../../../test/scratch';
import { findBenchmarks, openBenchmark, recogniseBenchmark } from './benchmarks';
import { IMAGENET_CLASSES } from './imagenet-classes';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});

const PLACES = [7, 950, 11];
const COUNTS = ['train has 6 of the published 1,281,167 images', 'val has 6 of the published 50,000 images'];

test('the class folders of torchvision: classes are places in the sorted list of the 1,000', async () => {
  const written = writeImageNet(root, { places: PLACES });
  writeFiles(root, { 'labels.txt': 'n01440764,tench\nn01514668,cock\n' });
  const { facts, parts, notes } = await openBenchmark(root);
  expect([facts.name, facts.metric, facts.classNames, parts.test]).toEqual(['imagenet-1k', 'top-1', 'wnid', undefined]);
  expect(notes).toEqual(COUNTS);
  const { train, val } = parts;
  expect([train!.classes, val!.classes]).toEqual([IMAGENET_CLASSES, IMAGENET_CLASSES]);
  expect([train!.classTitles![7], val!.classTitles![7], val!.classTitles![8]]).toEqual(['cock', 'cock', 'n01514859']);
  expect(labelsOf(train!)).toEqual([7, 7, 11, 11, 950, 950]);
  expect(keysOf(val!)).toEqual(written.val.map(({ file }) => file.slice('val/'.length)).sort());
  expect(labelsOf(val!)).toEqual([7, 7, 11, 11, 950, 950]);
});

test("Kaggle's folders: the flat val by LOC_val_solution.csv, titles by LOC_synset_mapping.txt", async () => {
  const written = writeKaggle(root, { places: PLACES });
  const folder = path.join(root, 'ILSVRC/Data/CLS-LOC');
  expect((await recogniseBenchmark(root))?.folder).toBe(folder);
  for (const given of [root, folder]) {
    const { parts, notes } = await openBenchmark(given);
    expect(labelsOf(parts.val!)).toEqual([7, 950, 11, 7, 950, 11]);
    expect(parts.val!.classTitles![7]).toBe('title 7, other');
    expect(await readText(parts.val!, 1)).toBe(written.val[1]!.file);
    expect(labelsOf(parts.train!)).toEqual([7, 7, 11, 11, 950, 950]);
    expect(notes).toEqual([expect.stringMatching(/labels are read from .*LOC_val_solution.csv$/), ...COUNTS]);
  }
});

test('a flat val by the boxes of its images, and by names that end with the class', async () => {
  const { val } = writeKaggle(root, { places: PLACES, labels: 'xml' });
  const open = async () => (await openBenchmark(root)).parts.val!;
  expect(labelsOf(await open())).toEqual([7, 950, 11, 7, 950, 11]);
  const boxes = path.join(root, 'ILSVRC/Annotations/CLS-LOC/val/ILSVRC2012_val_00000002.xml');
  writeFiles(path.dirname(boxes), { [path.basename(boxes)]: '<annotation><object><name>n0' });
  expect((await open()).whyUnlabelled).toMatch(
    /XML files of .*CLS-LOC\/val says nothing of 1 of 6 images, e.g. .*00000002/,
  );
  rmSync(path.join(root, 'ILSVRC/Annotations'), { recursive: true });
  for (const { file, place } of val)
    renameSync(path.join(root, file), path.join(root, file.replace('.JPEG', `_${IMAGENET_CLASSES[place]}.JPEG`)));
  expect(labelsOf(await open())).toEqual([7, 950, 11, 7, 950, 11]);
});

test('a flat val by the devkit, whose ids are in an order of their own', async () => {
  const { val } = writeImageNet(root, { places: PLACES, flat: true });
  writeDevkit(root, val);
  const { parts, notes } = await openBenchmark(root);
  expect(labelsOf(parts.val!)).toEqual([7, 950, 11, 7, 950, 11]);
  expect(notes[0]).toMatch(/labels are read from .*validation_ground_truth.txt, numbers by .*meta.mat$/);
  const meta = 'ILSVRC2012_devkit_t12/data/meta.mat';
  writeFiles(root, { [meta]: matFile({ synsets: { records: [{ ILSVRC2012_ID: 1, WNID: 'tench' }] } }) });
  await expect(openBenchmark(root)).rejects.toThrow(
    /meta.mat has no ILSVRC2012_ID and WNID in record 1.*devkit_t12.tar.gz/,
  );
  writeFiles(root, { [meta]: matFile({ classes: 1 }) });
  await expect(openBenchmark(root)).rejects.toThrow(/meta.mat holds no structures called synsets/);
  rmSync(path.join(root, meta));
  expect((await openBenchmark(root)).parts.val!.whyUnlabelled).toMatch(
    /holds ILSVRC ids, .* put meta.mat of the devkit/,
  );
});

test('a flat val that nothing names the classes of has none, and it is said at opening what to put there', async () => {
  writeKaggle(root, { labels: 'none' });
  const { parts } = await openBenchmark(root);
  expect([parts.val!.classes, parts.val!.label]).toEqual([undefined, undefined]);
  expect(parts.val!.whyUnlabelled).toMatch(
    /no file beside them names their classes; put one there .*LOC_val_solution.csv, the folder ILSVRC2012_devkit_t12/,
  );
});

test('val alone is there to be tested on; train alone is an ordinary folder of parts', async () => {
  writeImageNet(root);
  renameSync(path.join(root, 'train'), path.join(root, 'aside'));
  expect(Object.keys((await openBenchmark(root)).parts)).toEqual(['val']);
  renameSync(path.join(root, 'aside'), path.join(root, 'train'));
  rmSync(path.join(root, 'val'), { recursive: true });
  expect(await recogniseBenchmark(root)).toBeUndefined();
});

test('fewer classes, more classes and other images are not ImageNet-1k', async () => {
  writeImageNet(root);
  const name = async () => (await recogniseBenchmark(root))?.layout.facts.name;
  expect(await name()).toBe('imagenet-1k');
  rmSync(path.join(root, 'train/n01440764'), { recursive: true });
  expect(await name()).toBeUndefined();
  writeFiles(root, { 'train/n01440764/n01440764_1.JPEG': 'x', 'train/n00000001/n00000001_1.JPEG': 'x' });
  expect(await name()).toBeUndefined();
  rmSync(path.join(root, 'train/n00000001'), { recursive: true });
  expect(await name()).toBe('imagenet-1k');
  writeFiles(root, { 'val/n01440764/stylised_1.png': 'x' });
  expect(await name()).toBeUndefined();
});

test('sets that lie in the folder of ImageNet make it no less ImageNet, and are found', async () => {
  writeImageNet(root);
  writeImageNetA(root);
  expect((await recogniseBenchmark(root))?.layout.facts.name).toBe('imagenet-1k');
  expect((await findBenchmarks(root)).map(({ layout }) => layout.facts.name)).toEqual(['imagenet-1k', 'imagenet-a']);
});
