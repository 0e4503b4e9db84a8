import { rmSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { writeFood101 } from '../../../test/benchmark-files';
import { keysOf, labelsOf, readText, scratchFolder, writeFiles } from '../../../test/scratch';
import { openBenchmark } from './benchmarks';

test('its lists and classes, wrapped in the folder of the archive', async () => {
  const root = scratchFolder();
  writeFood101(path.join(root, 'food-101'));
  const { facts, parts, notes } = await openBenchmark(root);
  const { train, val, test } = parts;
  expect([facts.name, facts.metric, val]).toEqual(['food-101', 'top-1', undefined]);
  expect(train!.classes).toEqual(['apple_pie', 'baby_back_ribs', 'waffles']);
  expect(train!.classTitles).toEqual(['Apple pie', 'Baby back ribs', 'Waffles']);
  expect(labelsOf(train!)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
  expect(keysOf(test!)).toEqual([
    'images/apple_pie/9000.jpg',
    'images/baby_back_ribs/9000.jpg',
    'images/waffles/9000.jpg',
  ]);
  expect(await readText(test!, 1)).toBe('image images/baby_back_ribs/9000.jpg');
  expect(notes).toEqual([
    'there are 3 of the published 101 classes',
    'train has 9 of the published 75,750 images',
    'test has 3 of the published 25,250 images',
  ]);
});

test('listed images that are not there are left out and told; none at all is refused', async () => {
  const root = scratchFolder();
  writeFood101(root);
  rmSync(path.join(root, 'images/apple_pie/1001.jpg'));
  const { parts, notes } = await openBenchmark(root);
  expect(labelsOf(parts.train!)).toEqual([0, 0, 1, 1, 1, 2, 2, 2]);
  expect(notes[0]).toBe('1 of the 9 images of train are not there and left out, e.g. images/apple_pie/1001.jpg');
  for (const name of ['apple_pie', 'baby_back_ribs', 'waffles']) rmSync(path.join(root, `images/${name}/9000.jpg`));
  await expect(openBenchmark(root)).rejects.toThrow(
    /none of the 3 images of .*meta\/test.txt is there; the first was looked for as .*images\/apple_pie\/9000.jpg/,
  );
});

test.each([
  ['../../etc/passwd', /train.txt line 1: "..\/..\/etc\/passwd" is no path below/],
  ['/etc/1', /is no path below/],
  ['soup/1', /line 1: "soup\/1" is of class soup, which is none of the 3/],
])('a list with %s is refused', async (line, message) => {
  const root = scratchFolder();
  writeFood101(root);
  writeFiles(root, { 'meta/train.txt': `${line}\n` });
  await expect(openBenchmark(root)).rejects.toThrow(message);
  await expect(openBenchmark(root)).rejects.toMatchObject({ code: 'damaged-file' });
});

test('an image in two parts or listed twice is told, a missing list is named', async () => {
  const root = scratchFolder();
  writeFood101(root);
  writeFiles(root, { 'meta/test.txt': 'apple_pie/1000\napple_pie/9000\napple_pie/9000\n' });
  const { parts, notes } = await openBenchmark(root);
  expect(parts.test!.length).toBe(2);
  expect(notes).toContain('1 images are listed again for test and count once, e.g. images/apple_pie/9000.jpg');
  expect(notes).toContain('1 images are in two parts, e.g. images/apple_pie/1000.jpg (train and test)');
  rmSync(path.join(root, 'meta/test.txt'));
  await expect(openBenchmark(root)).rejects.toThrow(/meta\/test.txt is not there; it comes with food-101.tar.gz/);
});
