/** What a reader of RGB-D pairs finds, picture and depth by their paths, and the set that is made of it. */
import { decodeImage, type FileTree } from '@franca/data';
import { TrainError } from '../errors';
import { readDepthPng } from './depth-png';
import type { DepthImages } from './depth-set';
import { MAX_BAD_SHARE } from './image-set';
import { some } from './judge-masks';

export interface DepthPair {
  /** Its name in messages and records. */
  readonly key: string;
  /** Paths in the tree; that of the depth undefined where the list has none. */
  readonly picture: string;
  readonly depth: string | undefined;
}

/** One part as it lies in a tree. */
export interface DepthPart {
  readonly split: string;
  readonly pairs: readonly DepthPair[];
  readonly notes: readonly string[];
}

export interface DepthLayout {
  /** Parts of their own; none where `whole` is one heap. */
  readonly train?: DepthPart;
  readonly test?: DepthPart;
  /** All pairs, where nothing says which are for training. */
  readonly whole?: DepthPart;
}

export interface NamedTree {
  readonly tree: FileTree;
  readonly dataset: string;
  readonly unitsPerMetre: number;
}

/**
 * The pairs of a part whose files are there.
 * @throws TrainError `data` where none is, or more than a tenth are missing
 */
export function depthOfPairs({ tree, dataset, unitsPerMetre }: NamedTree, part: DepthPart): DepthImages {
  const isThere = ({ picture, depth }: DepthPair): boolean =>
    depth !== undefined && tree.has(picture) && tree.has(depth);
  const pairs = part.pairs.filter(isThere);
  const missing = part.pairs.filter((pair) => !isThere(pair)).map((pair) => missingFile(tree, pair));
  checkMissing(`${tree.name} ${part.split}`, part.pairs.length, missing);
  const left =
    missing.length > 0
      ? [`${missing.length} of ${part.pairs.length} pairs of ${part.split} are left out: ${some(missing)}`]
      : [];
  return {
    dataset,
    split: part.split,
    total: part.pairs.length,
    length: pairs.length,
    classes: [],
    ignore: undefined,
    notes: [...tree.notes, ...part.notes, ...left],
    key: (index) => pairs[index]!.key,
    label: () => -1,
    read: async (index, signal) => decodeImage(await tree.read(pairs[index]!.picture, signal)),
    version: (index) => tree.version(pairs[index]!.picture),
    depthVersion: async (index) => `${await tree.version(pairs[index]!.depth!)} / ${unitsPerMetre}`,
    async depth(index, signal) {
      const path = pairs[index]!.depth!;
      return readDepthPng(await tree.read(path, signal), `${tree.name}/${path}`, unitsPerMetre);
    },
  };
}

function missingFile(tree: FileTree, { key, picture, depth }: DepthPair): string {
  if (depth === undefined) return `${key} (no depth is named)`;
  return `${key} (no ${tree.has(picture) ? depth : picture})`;
}

function checkMissing(where: string, of: number, missing: readonly string[]): void {
  if (of === 0) throw new TrainError('data', `${where} has no pair of picture and depth`);
  if (missing.length === of || missing.length > MAX_BAD_SHARE * of)
    throw new TrainError(
      'data',
      `${missing.length} of ${of} pairs of ${where} are not there: ${some(missing)}; put pictures and depth in step`,
    );
}
