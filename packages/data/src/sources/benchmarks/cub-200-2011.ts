/** CUB-200-2011 (Wah et al. 2011): 200 species of birds. Four files say of each image by its number what it is called, what it shows and which part it is in. */

import path from 'node:path';
import type { Benchmark, BenchmarkLayout } from './benchmark';
import { findFolder } from './find-folder';
import { damaged, fieldsOf, type ListLine, numberOf, placesOf, readLines, relativePath } from './list-file';
import { type ListedImage, listedBenchmark } from './listed-parts';

const COMES = 'with CUB_200_2011.tgz';

export const CUB_200_2011: BenchmarkLayout = {
  facts: {
    name: 'cub-200-2011',
    title: 'CUB-200-2011',
    metric: 'top-1',
    published: { classes: 200, train: 5_994, test: 5_794 },
  },
  lies: 'CUB_200_2011.tgz unpacked: images/<class>/*.jpg, images.txt, image_class_labels.txt, train_test_split.txt, classes.txt',
  find: (root) =>
    findFolder(root, {
      names: ['CUB_200_2011', 'CUB-200-2011'],
      signs: ['images/', 'images.txt', 'train_test_split.txt'],
    }),
  open,
};

/** A file of lines `number value`, by number. */
interface Table {
  readonly file: string;
  readonly rows: ReadonlyMap<string, { readonly line: ListLine; readonly value: string }>;
}

async function tableOf(folder: string, name: string): Promise<Table> {
  const file = path.join(folder, name);
  const rows = new Map<string, { line: ListLine; value: string }>();
  for (const line of await readLines(file, COMES)) {
    const [id, value] = fieldsOf(line, 2) as [string, string];
    if (rows.has(id)) throw damaged(line, 'has a number that was there before');
    rows.set(id, { line, value });
  }
  return { file, rows };
}

async function open(folder: string): Promise<Benchmark> {
  const images = await tableOf(folder, 'images.txt');
  const labels = await tableOf(folder, 'image_class_labels.txt');
  const parts = await tableOf(folder, 'train_test_split.txt');
  const names = await tableOf(folder, 'classes.txt');
  const classes = [...names.rows.values()].map(({ value }) => value);
  placesOf(classes, names.file);
  const places = new Map([...names.rows.keys()].map((id, place) => [id, place]));
  const [train, test]: [ListedImage[], ListedImage[]] = [[], []];
  for (const [id, { line, value }] of images.rows) {
    const [label, part] = [labels.rows.get(id), parts.rows.get(id)];
    if (!label || !part) throw damaged(line, `has no line in ${(label ? parts : labels).file}`);
    const place = places.get(label.value);
    if (place === undefined) throw damaged(label.line, `is of a class that ${names.file} does not have`);
    const image = { file: `images/${relativePath(line, value)}`, label: place };
    (numberOf(part.line, part.value, 0, 1) === 1 ? train : test).push(image);
  }
  const classTitles = classes.map((name) => name.replace(/^\d+\./, '').replaceAll('_', ' '));
  return listedBenchmark(
    CUB_200_2011.facts,
    folder,
    { classes, classTitles },
    { train: { list: parts.file, images: train }, test: { list: parts.file, images: test } },
  );
}
