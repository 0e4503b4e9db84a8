/**
 * SUN397 (Xiao et al. 2010): scenes of 397 kinds. Of ten published splits the first is the one that is reported: 50 images of each class for training, 50 for testing.
 *
 * The pictures and the lists are two archives; a class is a path of two or three parts (`a/abbey`, `a/apartment_building/outdoor`).
 */

import path from 'node:path';
import { DataError } from '../../errors';
import type { Benchmark, BenchmarkLayout } from './benchmark';
import { findWhere, hasAll } from './find-folder';
import { classOf, damaged, type ListLine, placesOf, readLines, relativePath } from './list-file';
import { type ListedPart, listedBenchmark } from './listed-parts';

const COMES = 'with Partitions.zip';
/** Where the lists may lie, from the folder of the pictures. */
const BESIDE = ['.', 'Partitions', '..', '../Partitions'];

export const SUN397: BenchmarkLayout = {
  facts: {
    name: 'sun397',
    title: 'SUN397',
    metric: 'top-1',
    published: { classes: 397, train: 19_850, test: 19_850 },
  },
  lies: 'SUN397.tar.gz unpacked, and Partitions.zip unpacked in it or beside it: a/abbey/*.jpg, ClassName.txt, Training_01.txt, Testing_01.txt',
  find: (root) => findWhere(root, ['SUN397'], isHere),
  open,
};

async function isHere(folder: string): Promise<boolean> {
  return (await hasAll(folder, ['a/'])) && (await listAt(folder, 'ClassName.txt')) !== undefined;
}

/** The path of a list, where there is one. */
async function listAt(folder: string, name: string): Promise<string | undefined> {
  for (const place of BESIDE) if (await hasAll(path.join(folder, place), [name])) return path.join(folder, place, name);
  return undefined;
}

async function open(folder: string): Promise<Benchmark> {
  const linesOf = async (name: string): Promise<{ file: string; lines: readonly ListLine[] }> => {
    const file = await listAt(folder, name);
    if (file) return { file, lines: await readLines(file, COMES) };
    throw new DataError(
      'not-found',
      `${name} is neither in ${folder} nor in a folder Partitions there or beside it; it comes ${COMES}, which is a download of its own`,
    );
  };
  const names = await linesOf('ClassName.txt');
  const classes = names.lines.map((line) => below(line));
  const places = placesOf(classes, names.file);
  const partOf = async (name: string): Promise<ListedPart> => {
    const { file, lines } = await linesOf(name);
    const images = lines.map((line) => {
      const image = below(line);
      return { file: image, label: classOf(line, path.posix.dirname(image), places) };
    });
    return { list: file, images };
  };
  const classTitles = classes.map((name) => name.replace(/^.\//, '').replaceAll(/[/_]/g, ' '));
  return listedBenchmark(
    SUN397.facts,
    folder,
    { classes, classTitles },
    { train: await partOf('Training_01.txt'), test: await partOf('Testing_01.txt') },
    ['the first of its ten published splits'],
  );
}

/** Paths of the lists begin with a slash. */
function below(line: ListLine): string {
  if (!line.text.startsWith('/')) throw damaged(line, 'does not begin with a slash');
  return relativePath(line, line.text.slice(1));
}
