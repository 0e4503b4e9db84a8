/** Class folders of ImageNet and of what is made like it: which there are, and what their images are called. Names only: no file is asked for. */

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { hasImageExtension } from '../../images/image-format';
import { byCodeUnit } from '../by-code-unit';
import { folderSource } from '../folder';
import { isPassedOver } from '../passed-over';
import type { Split } from '../source-kind';
import type { Benchmark, BenchmarkFacts } from './benchmark';
import { countNotes } from './listed-parts';

/** Names as classes have them: WordNet ids, and places in a list. */
const CLASS_NAME = /^(n\d{8}|\d{1,4})$/;
/** What images of ImageNet-1k are called, in its own archives. */
const TRAIN_NAME = /^n\d{8}_\d+/;
const VAL_NAME = /^ILSVRC2012_val_\d{8}(?!\d)/;

/** Whether the folders of a folder that are called like classes are exactly these. */
export async function hasClasses(folder: string, classes: readonly string[]): Promise<boolean> {
  const names = new Set((await readdir(folder).catch(() => [])).filter((name) => CLASS_NAME.test(name)));
  return names.size === classes.length && classes.every((name) => names.has(name));
}

/** The first image of a folder of class folders, or of a flat one: its name. */
export async function firstImage(folder: string, classes: readonly string[]): Promise<string | undefined> {
  for (const name of ['.', ...classes]) {
    const names = await readdir(path.join(folder, name)).catch(() => []);
    const [first] = names.filter((each) => hasImageExtension(each) && !isPassedOver(each)).sort(byCodeUnit);
    if (first !== undefined) return first;
  }
  return undefined;
}

/** Whether an image is called as ImageNet's own validation images are. */
export const isValName = (name: string | undefined): boolean => name !== undefined && VAL_NAME.test(name);

/** Whether an image is called as one of ImageNet's own, training or validation. */
export const isOwnName = (name: string | undefined): boolean =>
  name !== undefined && (VAL_NAME.test(name) || TRAIN_NAME.test(name));

/** Opens a folder of class folders as the one part of a data set. */
export async function classFolderBenchmark(
  facts: BenchmarkFacts,
  folder: string,
  classes: readonly string[],
  split: Split,
): Promise<Benchmark> {
  const { notes = [], ...source } = await folderSource(folder, { classes });
  const parts = { [split]: { ...source, name: `${facts.title} ${split} ${folder}` } };
  return { facts, parts, notes: [...notes, ...countNotes(facts, parts)], close: async () => {} };
}
