/** All published data sets whose own files are understood, and which of them lies in a folder. */

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { checkArgument, DataError } from '../../errors';
import { listFolder } from '../../files/file-system';
import { isFolder } from '../../files/is-folder';
import { byCodeUnit } from '../by-code-unit';
import { some } from '../labels';
import { isPassedOver } from '../passed-over';
import type { Benchmark, BenchmarkLayout } from './benchmark';
import { CALTECH_101 } from './caltech-101';
import { CIFAR_10, CIFAR_100 } from './cifar-sets';
import { CUB_200_2011 } from './cub-200-2011';
import { DTD } from './dtd';
import { FGVC_AIRCRAFT } from './fgvc-aircraft';
import { FOOD_101 } from './food-101';
import { IMAGENET_1K } from './imagenet-1k';
import {
  IMAGENET_A,
  IMAGENET_R,
  IMAGENET_SKETCH,
  IMAGENET_V2,
  IMAGENET_V2_THRESHOLD,
  IMAGENET_V2_TOP,
  IMAGENET_V2_UNNAMED,
} from './imagenet-relatives';
import { OXFORD_FLOWERS_102 } from './oxford-flowers-102';
import { OXFORD_PETS } from './oxford-pets';
import { STANFORD_CARS } from './stanford-cars';
import { SUN397 } from './sun397';
import { VOC_2007 } from './voc-2007';

/** In the order of the paper's tables. */
export const BENCHMARKS: readonly BenchmarkLayout[] = [
  IMAGENET_1K,
  IMAGENET_V2,
  IMAGENET_V2_THRESHOLD,
  IMAGENET_V2_TOP,
  IMAGENET_V2_UNNAMED,
  IMAGENET_A,
  IMAGENET_R,
  IMAGENET_SKETCH,
  FOOD_101,
  CIFAR_10,
  CIFAR_100,
  SUN397,
  STANFORD_CARS,
  FGVC_AIRCRAFT,
  DTD,
  OXFORD_PETS,
  CALTECH_101,
  OXFORD_FLOWERS_102,
  CUB_200_2011,
  VOC_2007,
];

/** A published data set, and the folder that its `open` takes. */
export interface FoundBenchmark {
  readonly layout: BenchmarkLayout;
  readonly folder: string;
}

/** Folders that are looked into, in each, at most: a folder of more holds classes, not data sets. */
const MAX_FOLDERS = 100;

/**
 * Finds out whether a folder, or the one that its archive unpacks to in it, is a published data set. Looks at the names of few files.
 * @returns undefined where it is none
 * @throws DataError ambiguous-source where it is several
 */
export async function recogniseBenchmark(root: string): Promise<FoundBenchmark | undefined> {
  checkArgument('recogniseBenchmark', 'root', root, 'string');
  const all = await benchmarksIn(root);
  // what lies in a folder of its own beside a set's parts is no other meaning of the set's folder
  const own = all.filter(({ folder }) => folder === root);
  const found = own.length > 0 ? own : all;
  if (found.length > 1) {
    const listed = found.map(({ layout, folder }) => `${layout.facts.title} in ${folder}`).join(' and ');
    throw new DataError('ambiguous-source', `${root} holds ${listed}; give the folder of one`);
  }
  return found[0];
}

/**
 * Opens a published data set.
 * @throws DataError not-found where it is none of `BENCHMARKS`; ambiguous-source where it is several; damaged-file, empty-source or
 * unsupported-format where its files are not those of its authors
 */
export async function openBenchmark(root: string): Promise<Benchmark> {
  checkArgument('openBenchmark', 'root', root, 'string');
  const found = await recogniseBenchmark(root);
  if (!found) {
    const known = BENCHMARKS.map(({ facts, lies }) => `${facts.title} (${lies})`).join('; ');
    throw new DataError('not-found', `${root} is no published data set that is known; known are ${known}`);
  }
  const benchmark = await found.layout.open(found.folder);
  const beside = await besideNotes(root, found.folder);
  return { ...benchmark, notes: [...beside, ...benchmark.notes] };
}

/** What else lies where a folder was given that holds the data set among others. */
async function besideNotes(root: string, folder: string): Promise<string[]> {
  if (folder === root) return [];
  const others = (await foldersIn(root)).filter((each) => each !== folder && !folder.startsWith(each + path.sep));
  const names = others.map((each) => path.basename(each));
  return names.length === 0 ? [] : [`${root} stands for ${folder}, beside which lie ${some(names)}`];
}

/**
 * The published data sets in a folder, at most two folders further down, in the order of `BENCHMARKS`.
 * @throws DataError not-found where there is no such folder
 */
export async function findBenchmarks(root: string): Promise<FoundBenchmark[]> {
  checkArgument('findBenchmarks', 'root', root, 'string');
  await listFolder(root);
  const found = new Map<string, FoundBenchmark>();
  let level = [root];
  for (let depth = 0; depth <= 2; depth++) {
    const next: string[] = [];
    for (const folder of level) {
      const here = await benchmarksIn(folder);
      for (const each of here) found.set(`${each.layout.facts.name} ${path.resolve(each.folder)}`, each);
      // what is a data set itself holds no others, unless it is what was asked about
      if (depth === 0 || (depth < 2 && !here.some((each) => each.folder === folder)))
        for (const inner of await foldersIn(folder)) next.push(inner);
    }
    level = next;
  }
  const all = [...found.values()];
  return BENCHMARKS.flatMap((layout) => all.filter((each) => each.layout === layout));
}

async function benchmarksIn(root: string): Promise<FoundBenchmark[]> {
  const found: FoundBenchmark[] = [];
  for (const layout of BENCHMARKS) {
    const folder = await layout.find(root);
    if (folder !== undefined) found.push({ layout, folder });
  }
  return found;
}

async function foldersIn(root: string): Promise<string[]> {
  const names = (await readdir(root).catch(() => [])).filter((name) => !isPassedOver(name)).sort(byCodeUnit);
  const folders: string[] = [];
  for (const name of names) {
    const folder = path.join(root, name);
    if (await isFolder(folder)) folders.push(folder);
    if (folders.length > MAX_FOLDERS) return [];
  }
  return folders;
}
