/**
 * RGB-D pairs in lists, as BTS, AdaBins and DINOv3 have NYUv2: `train.txt` and `test.txt`, or names that end so such as `nyu_train.txt`. A line is the path of a
 * picture, that of its depth, and perhaps more, such as the focal length, which is not read.
 */
import type { FileTree } from '@franca/data';
import { TrainError } from '../errors';
import type { DepthLayout, DepthPair, DepthPart } from './depth-layout';
import { some } from './judge-masks';

const LIST = /^(?:.*[_-])?(train|val|test)(?:_files_with_gt)?\.txt$/;
/** Where the paths of the lists begin; the last are BTS's. */
const ROOTS = ['', 'train/', 'val/', 'test/', 'sync/', 'official_splits/test/'];
const MAX_LIST_BYTES = 64 * 2 ** 20;

/** Whether a tree has a list to test by. */
export const hasDepthLists = (tree: FileTree): boolean => listsOf(tree, ['test', 'val']).length > 0;

/** @throws TrainError `data` where there are several lists of a part, or one means nothing */
export async function readDepthLists(tree: FileTree): Promise<DepthLayout> {
  const part = async (split: 'train' | 'val' | 'test'): Promise<DepthPart | undefined> => {
    const lists = listsOf(tree, [split]);
    if (lists.length > 1)
      throw new TrainError('data', `${tree.name} has several lists of ${split}: ${some(lists)}; leave one there`);
    return lists[0] === undefined ? undefined : { split, pairs: await pairsOf(tree, lists[0]), notes: [] };
  };
  const [train, test] = [await part('train'), (await part('test')) ?? (await part('val'))];
  return { ...(train && { train }), ...(test && { test }) };
}

const listsOf = (tree: FileTree, splits: readonly string[]): string[] =>
  tree.names('').filter((name) => splits.includes(LIST.exec(name)?.[1] ?? ''));

async function pairsOf(tree: FileTree, list: string): Promise<DepthPair[]> {
  const bytes = await tree.read(list);
  if (bytes.length > MAX_LIST_BYTES) throw new TrainError('data', `${tree.name}/${list} is too large for a list`);
  const lines = Buffer.from(bytes).toString('utf8').split(/\r?\n/);
  const named = lines.flatMap((line, at) => {
    const [picture, depth] = line.trim().split(/\s+/).map(withoutSlash);
    if (!picture) return [];
    if (!depth)
      throw new TrainError('data', `${tree.name}/${list}:${at + 1} names no depth; a line is "picture depth"`);
    return [{ key: picture, picture, depth: depth === 'None' ? undefined : depth }];
  });
  const root = ROOTS.find((start) => named.some(({ picture }) => tree.has(start + picture))) ?? '';
  return named.map(({ key, picture, depth }) => ({
    key,
    picture: root + picture,
    depth: depth === undefined ? undefined : root + depth,
  }));
}

const withoutSlash = (path: string): string => path.replace(/^\/+/, '');
