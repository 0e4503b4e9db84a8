/**
 * Which files of a data set belong to which part, told by their names the way the Hugging Face hub does it.
 *
 * A folder or a file name begins with train, validation (val, valid, dev) or test (`data/train-00000-of-00002.parquet`,
 * `default/train/0000.parquet`, `train/cat/1.jpg`). Data whose names speak of no part is all training data.
 */

import { DataError } from '../errors';
import { byCodeUnit } from './by-code-unit';
import { leftOut, leftOutNotes } from './left-out';

/** Files of one part, and what is to be said about the others. */
export interface ChosenFiles {
  readonly files: readonly string[];
  readonly notes: readonly string[];
}

const SPLITS: Readonly<Record<string, readonly string[]>> = {
  train: ['train', 'training'],
  val: ['validation', 'valid', 'val', 'dev'],
  test: ['test', 'testing', 'eval'],
};
const WORD = /^(training|train|validation|valid|val|dev|testing|test|eval)(?![a-z])/i;

/** The split that a file's path speaks of: train, val, test, or undefined. */
function splitOf(path: string): string | undefined {
  for (const part of path.split('/')) {
    const word = WORD.exec(part)?.[1]?.toLowerCase();
    if (word) return Object.keys(SPLITS).find((split) => SPLITS[split]!.includes(word));
  }
  return undefined;
}

/**
 * The files of one split, in order. Asked for `val`, data without one gives its test files.
 * @param name for messages
 * @throws DataError not-found with the splits there are
 */
export function chooseFiles(name: string, paths: readonly string[], wanted: string): ChosenFiles {
  const split = Object.keys(SPLITS).find((each) => each === wanted || SPLITS[each]!.includes(wanted)) ?? wanted;
  const splits = new Set(paths.map((path) => splitOf(path)));
  const isNamed = (path: string): boolean =>
    path.split('/').some((part) => part === split || part.startsWith(`${split}-`));
  let chosen = paths.filter((path) => splitOf(path) === split || (splitOf(path) === undefined && isNamed(path)));
  const stands = chosen.length === 0 && split === 'val';
  if (stands) chosen = paths.filter((path) => splitOf(path) === 'test');
  if (chosen.length === 0 && split === 'train' && splits.size === 1 && splits.has(undefined)) chosen = [...paths];
  const taken = new Set(chosen);
  const unnamed = leftOut(paths.filter((path) => splitOf(path) === undefined && !taken.has(path)));
  if (chosen.length === 0) {
    const there = [...splits].filter(Boolean).join(', ') || 'none named';
    const hint = unnamed ? `; ${unnamed.count} names speak of no split, e.g. ${unnamed.example}: rename them` : '';
    throw new DataError('not-found', `${name} has no files of split ${wanted} (splits: ${there})${hint}`);
  }
  const notes = leftOutNotes(`files beside those of split ${split} speak of no split and are not used`, unnamed);
  const note = `${name} has no files of split val: those of test stand in for them`;
  return { files: chosen.sort(byCodeUnit), notes: stands ? [note, ...notes] : notes };
}

/** The folders of some paths, without the parts that speak of a split: one for each configuration of a hub repository. */
export function configsOf(paths: readonly string[]): string[] {
  return [...new Set(paths.map(configOf))];
}

const configOf = (path: string): string =>
  path
    .split('/')
    .slice(0, -1)
    .filter((part) => !WORD.test(part))
    .join('/');

/** Those of these folders that hold files of a training part and of another one. */
export function foldersWithParts(paths: readonly string[]): string[] {
  const splits = new Map<string, Set<string | undefined>>();
  for (const path of paths) splits.set(configOf(path), (splits.get(configOf(path)) ?? new Set()).add(splitOf(path)));
  return [...splits].flatMap(([folder, found]) =>
    found.has('train') && (found.has('val') || found.has('test')) ? [folder] : [],
  );
}
