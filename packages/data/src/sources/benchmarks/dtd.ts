/** Describable Textures (Cimpoi et al. 2014): 47 textures. Of ten published splits the first is the one that is reported. */

import path from 'node:path';
import { byCodeUnit } from '../by-code-unit';
import type { Split } from '../source-kind';
import type { Benchmark, BenchmarkLayout } from './benchmark';
import { findFolder } from './find-folder';
import { damaged, type ListLine, readLines, relativePath } from './list-file';
import { type ListedPart, listedBenchmark } from './listed-parts';

const COMES = 'with dtd-r1.0.1.tar.gz';

export const DTD: BenchmarkLayout = {
  facts: {
    name: 'dtd',
    title: 'Describable Textures',
    metric: 'top-1',
    published: { classes: 47, train: 1_880, val: 1_880, test: 1_880 },
  },
  lies: 'dtd-r1.0.1.tar.gz unpacked: images/<class>/*.jpg and labels/{train,val,test}1.txt',
  find: (root) => findFolder(root, { names: ['dtd', 'dtd/dtd'], signs: ['images/', 'labels/train1.txt'] }),
  open,
};

async function open(folder: string): Promise<Benchmark> {
  const listOf = (split: Split): string => path.join(folder, 'labels', `${split}1.txt`);
  const lines = {
    train: await readLines(listOf('train'), COMES),
    val: await readLines(listOf('val'), COMES),
    test: await readLines(listOf('test'), COMES),
  };
  // there is no list of them: classes are the folders of the lists, in order of their names
  const classes = [...new Set(Object.values(lines).flat().map(textureOf))].sort(byCodeUnit);
  const places = new Map(classes.map((name, place) => [name, place]));
  const partOf = (split: keyof typeof lines): ListedPart => ({
    list: listOf(split),
    images: lines[split].map((line) => ({ file: `images/${line.text}`, label: places.get(textureOf(line))! })),
  });
  const parts = { train: partOf('train'), val: partOf('val'), test: partOf('test') };
  return listedBenchmark(DTD.facts, folder, { classes }, parts, ['the first of its ten published splits']);
}

function textureOf(line: ListLine): string {
  const [texture, image, ...more] = relativePath(line, line.text).split('/');
  if (image === undefined || more.length > 0) throw damaged(line, 'is no path of a class and an image');
  return texture!;
}
