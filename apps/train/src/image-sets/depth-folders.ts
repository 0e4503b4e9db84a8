/** RGB-D pairs in folders: `train/rgb` and `train/depth`, `test/rgb` and `test/depth` (or `val`); or `rgb` and `depth` alone, of which nothing says what is for training. */
import { type FileTree, hasImageExtension } from '@franca/data';
import { stemOf } from './box-layout';
import type { DepthLayout, DepthPart } from './depth-layout';
import { some } from './judge-masks';

const PICTURES = ['rgb', 'images'];

/** Whether a tree has pairs in folders. */
export const hasDepthFolders = (tree: FileTree): boolean =>
  ['test', 'val', ''].some((split) => picturesOf(tree, split) !== undefined);

export function readDepthFolders(tree: FileTree): DepthLayout {
  const [train, test, val, whole] = ['train', 'test', 'val', ''].map((split) => partOf(tree, split));
  const tested = test ?? val;
  if (tested) return { ...(train && { train }), test: tested };
  return { ...(whole && { whole }) };
}

/** The folder of a part's pictures; undefined where it has none with depth beside it. */
function picturesOf(tree: FileTree, split: string): string | undefined {
  const below = (name: string): string => (split === '' ? name : `${split}/${name}`);
  if (tree.names(below('depth')).length === 0) return undefined;
  return PICTURES.map(below).find((folder) => tree.names(folder).length > 0);
}

function partOf(tree: FileTree, split: string): DepthPart | undefined {
  const pictures = picturesOf(tree, split);
  if (pictures === undefined) return undefined;
  const depths = pictures.replace(/[^/]*$/, 'depth');
  const maps = tree.list(depths).filter((name) => /\.png$/i.test(name));
  const mapOf = new Map(maps.map((name) => [withoutEnding(name), name]));
  const names = tree.list(pictures).filter(hasImageExtension);
  const stems = new Set(names.map(withoutEnding));
  const unused = maps.filter((name) => !stems.has(withoutEnding(name)));
  return {
    split: split || 'all',
    pairs: names.map((name) => ({
      key: name,
      picture: `${pictures}/${name}`,
      depth: `${depths}/${mapOf.get(withoutEnding(name)) ?? `${stemOf(name)}.png`}`,
    })),
    notes:
      unused.length > 0 ? [`${unused.length} of ${depths} belong to no picture of ${pictures}: ${some(unused)}`] : [],
  };
}

/** With its folders. */
const withoutEnding = (name: string): string => name.replace(/\.[^./]*$/, '');
