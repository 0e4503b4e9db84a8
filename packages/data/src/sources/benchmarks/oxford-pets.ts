/** Oxford-IIIT Pets (Parkhi et al. 2012): 37 breeds of cats and dogs, whose names are those of the files; cats begin with a capital. */

import path from 'node:path';
import type { Benchmark, BenchmarkLayout } from './benchmark';
import { findFolder } from './find-folder';
import { damaged, fieldsOf, type ListLine, numberOf, readLines, relativePath } from './list-file';
import { type ListedPart, listedBenchmark } from './listed-parts';

const COMES = 'with annotations.tar.gz';

export const OXFORD_PETS: BenchmarkLayout = {
  facts: {
    name: 'oxford-pets',
    title: 'Oxford-IIIT Pets',
    metric: 'mean-per-class',
    published: { classes: 37, train: 3_680, test: 3_669 },
  },
  lies: 'images.tar.gz and annotations.tar.gz unpacked side by side: images/*.jpg, annotations/{trainval,test}.txt',
  find: (root) =>
    findFolder(root, {
      names: ['oxford-iiit-pet', 'oxford-pets'],
      signs: ['images/', 'annotations/trainval.txt', 'annotations/test.txt'],
    }),
  open,
};

/** A line: name, breed from 1 to 37, species, breed within the species. */
interface Pet {
  readonly line: ListLine;
  readonly image: string;
  readonly breed: number;
}

async function open(folder: string): Promise<Benchmark> {
  const listOf = (name: string): string => path.join(folder, 'annotations', name);
  const [train, test] = [await petsOf(listOf('trainval.txt')), await petsOf(listOf('test.txt'))];
  const classes = breedsOf([...train, ...test]);
  const partOf = (name: string, pets: readonly Pet[]): ListedPart => ({
    list: listOf(name),
    images: pets.map(({ image, breed }) => ({ file: `images/${image}.jpg`, label: breed - 1 })),
  });
  return listedBenchmark(
    OXFORD_PETS.facts,
    folder,
    { classes, classTitles: classes.map((name) => name.replaceAll('_', ' ')) },
    { train: partOf('trainval.txt', train), test: partOf('test.txt', test) },
  );
}

async function petsOf(list: string): Promise<Pet[]> {
  const lines = (await readLines(list, COMES)).filter(({ text }) => !text.startsWith('#'));
  return lines.map((line) => {
    const [name, breed] = fieldsOf(line, 4) as [string, string];
    const image = relativePath(line, name);
    if (!/^.+_\d+$/.test(image)) throw damaged(line, 'is no name of a breed and a number');
    return { line, image, breed: numberOf(line, breed, 1, OXFORD_PETS.facts.published.classes) };
  });
}

/** The names of the breeds by their numbers. @throws DataError where a number stands for two */
function breedsOf(pets: readonly Pet[]): string[] {
  const names = new Map<number, string>();
  for (const { line, image, breed } of pets) {
    const name = image.replace(/_\d+$/, '');
    const before = names.get(breed);
    if (before !== undefined && before !== name) throw damaged(line, `gives ${name} the number of ${before}`);
    names.set(breed, name);
  }
  return Array.from({ length: Math.max(0, ...names.keys()) }, (_, at) => names.get(at + 1) ?? `breed ${at + 1}`);
}
