/** Food-101 (Bossard et al. 2014): 101 dishes, 750 images of each for training and 250 for testing. */

import path from 'node:path';
import { isFile } from '../../files/is-file';
import type { Benchmark, BenchmarkLayout } from './benchmark';
import { findFolder } from './find-folder';
import { classOf, type ListLine, placesOf, readLines, relativePath } from './list-file';
import { type ListedPart, listedBenchmark } from './listed-parts';

const COMES = 'with food-101.tar.gz';

export const FOOD_101: BenchmarkLayout = {
  facts: {
    name: 'food-101',
    title: 'Food-101',
    metric: 'top-1',
    published: { classes: 101, train: 75_750, test: 25_250 },
  },
  lies: 'food-101.tar.gz unpacked: images/<class>/<number>.jpg and meta/{classes,train,test}.txt',
  find: (root) => findFolder(root, { names: ['food-101'], signs: ['images/', 'meta/classes.txt'] }),
  open,
};

async function open(folder: string): Promise<Benchmark> {
  const meta = (name: string): string => path.join(folder, 'meta', name);
  const classes = (await readLines(meta('classes.txt'), COMES)).map(({ text }) => text);
  const places = placesOf(classes, meta('classes.txt'));
  const imageOf = (line: ListLine): ListedPart['images'][number] => ({
    file: `images/${relativePath(line, line.text)}.jpg`,
    label: classOf(line, path.posix.dirname(line.text), places),
  });
  const partOf = async (name: string): Promise<ListedPart> => ({
    list: meta(name),
    images: (await readLines(meta(name), COMES)).map(imageOf),
  });
  const titles = (await isFile(meta('labels.txt')))
    ? (await readLines(meta('labels.txt'), COMES)).map(({ text }) => text)
    : [];
  return listedBenchmark(
    FOOD_101.facts,
    folder,
    { classes, classTitles: titles.length === classes.length ? titles : undefined },
    { train: await partOf('train.txt'), test: await partOf('test.txt') },
  );
}
