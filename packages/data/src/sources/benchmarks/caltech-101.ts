/**
 * Caltech-101 (Fei-Fei et al. 2004): class folders without lists of parts.
 *
 * The published protocols draw 30 images of each class for training and score on the rest, without saying which. Their numbers count 102 classes: the background is one.
 * 102 x 30 = 3,060 of 9,144 pictures leave 6,084. TensorFlow Datasets has 3,059 and 6,085 of the same 9,144. A file called `tmp` in the folder of the
 * background, a picture without an ending, would be the 9,145th; it is not used.
 */

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { isFolder } from '../../files/is-folder';
import { hasImageExtension } from '../../images/image-format';
import { shuffledOrder } from '../../loading/shuffle';
import { byCodeUnit } from '../by-code-unit';
import { leftOut, leftOutNotes } from '../left-out';
import { isPassedOver } from '../passed-over';
import type { Benchmark, BenchmarkLayout } from './benchmark';
import { findWhere, hasAll } from './find-folder';
import { type ListedImage, listedBenchmark } from './listed-parts';

const [PER_CLASS, SEED] = [30, 0];
const CATEGORIES = '101_ObjectCategories';

export const CALTECH_101: BenchmarkLayout = {
  facts: {
    name: 'caltech-101',
    title: 'Caltech-101',
    metric: 'mean-per-class',
    published: { classes: 102, train: 3_060, test: 6_084 },
  },
  lies: `caltech-101.zip unpacked, and ${CATEGORIES}.tar.gz in it: ${CATEGORIES}/<class>/*.jpg, BACKGROUND_Google among them`,
  find: (root) =>
    findWhere(
      root,
      [CATEGORIES, 'caltech-101', `caltech-101/${CATEGORIES}`, 'caltech101', `caltech101/${CATEGORIES}`],
      // the first class, and two that no other collection has
      (folder) => hasAll(folder, ['accordion/', 'Faces_easy/', 'car_side/']),
    ),
  open,
};

async function open(folder: string): Promise<Benchmark> {
  const classes: string[] = [];
  for (const name of (await readdir(folder)).sort(byCodeUnit))
    if (!isPassedOver(name) && (await isFolder(path.join(folder, name)))) classes.push(name);
  const [train, test]: [ListedImage[], ListedImage[]] = [[], []];
  const [others, small]: [string[], string[]] = [[], []];
  for (const [label, name] of classes.entries()) {
    const names = (await readdir(path.join(folder, name))).filter((each) => !isPassedOver(each)).sort(byCodeUnit);
    const files = names.filter(hasImageExtension).map((each) => ({ file: `${name}/${each}`, label }));
    for (const each of names) if (!hasImageExtension(each)) others.push(`${name}/${each}`);
    if (files.length <= PER_CLASS) small.push(`${name} (${files.length})`);
    const order = shuffledOrder(files.length, SEED, label);
    const drawn = new Set(Array.from({ length: Math.min(PER_CLASS, files.length) }, (_, position) => order(position)));
    for (const [at, image] of files.entries()) (drawn.has(at) ? train : test).push(image);
  }
  return listedBenchmark(
    CALTECH_101.facts,
    folder,
    { classes },
    { train: { list: folder, images: train }, test: { list: folder, images: test } },
    [
      `${PER_CLASS} images of each class are drawn for training by seed ${SEED}, the rest is for testing: there are no official parts, and the draw behind published numbers is not published`,
      ...leftOutNotes(`classes have no more than ${PER_CLASS} images and none for testing`, leftOut(small)),
      ...leftOutNotes('files are no pictures by their names and not used', leftOut(others)),
    ],
  );
}
