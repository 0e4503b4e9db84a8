/** Where pairs with key points come from: SPair-71k, a folder with a `pairs.json`, or the generated world; each layout inside archives too. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type FileTree, openFileTree, subtree } from '@franca/data';
import { TrainError } from '../errors';
import { datasetName } from './image-set';
import { some } from './judge-masks';
import { filePairs, PAIR_FILE } from './pair-file';
import { type PairSet, pairSet } from './pair-set';
import { isSpair, spairPairs } from './pair-spair';
import { worldPairs } from './pair-world';
import { rootsIn, unpackFirst } from './tree-roots';
import { isWorld } from './world-images';

export interface OpenPairsOptions {
  /** Part of a SPair-71k; default `test`. */
  readonly split?: string | undefined;
  /** The data set's name in records. */
  readonly name?: string | undefined;
}

/**
 * Opens the pairs of a folder, an archive or `world`.
 * @throws TrainError `data` where there are none, or they cannot be right; DataError as `openFileTree`
 */
export async function openPairs(spec: string, { split = 'test', name }: OpenPairsOptions = {}): Promise<PairSet> {
  if (isWorld(spec)) return worldPairs(spec, datasetName(spec, name));
  const root = rootOf(await openFileTree(spec));
  const listed = isSpair(root) ? await spairPairs(root, split) : await filePairs(root);
  return pairSet(root, listed, name ?? (isSpair(root) ? nameOfSpair(root, spec) : datasetName(spec)));
}

/** Whether `spec` is the world or a folder with pairs, by names alone: archives are not looked into. */
export function isPairData(spec: string): boolean {
  if (isWorld(spec)) return true;
  if (!statSync(spec, { throwIfNoEntry: false })?.isDirectory()) return false;
  const has = (...path: string[]): boolean => existsSync(join(spec, ...path));
  const inside = readdirSync(spec, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return has(PAIR_FILE) || has('PairAnnotation') || inside.some((folder) => has(folder.name, 'PairAnnotation'));
}

/** The data set's own name where its folder has it; other data of its layout go by theirs. */
const nameOfSpair = (root: FileTree, spec: string): string =>
  basename(resolve(root.name)).toLowerCase() === 'spair-71k' ? 'spair-71k' : datasetName(spec);

/**
 * The folder of the one data set in a tree: the tree itself, or a folder up to two steps below it.
 * @throws TrainError `data` where there is none, or there are several
 */
function rootOf(tree: FileTree): FileTree {
  const found = rootsIn(tree, isRoot);
  if (found.length === 1) return subtree(tree, found[0]!);
  if (found.length > 1)
    throw new TrainError('data', `${tree.name} has several sets of pairs: ${some(found)}; name one`);
  throw new TrainError(
    'data',
    `${tree.name} has no pairs; ${unpackFirst(tree)}give SPair-71k (PairAnnotation, ImageAnnotation, JPEGImages), a folder with a ${PAIR_FILE}, or "world"`,
  );
}

const isRoot = (tree: FileTree): boolean => isSpair(tree) || tree.has(PAIR_FILE);
