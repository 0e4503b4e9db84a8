/** The layouts of pictures with masks that are known, and which of them a folder or archive has, wherever a download put it. */
import type { Stats } from 'node:fs';
import { promises as fs } from 'node:fs';
import { type FileTree, openFileTree, subtree } from '@franca/data';
import { TrainError } from '../errors';
import { ADE20K } from './segmentation-ade';
import { CITYSCAPES } from './segmentation-cityscapes';
import { COCO } from './segmentation-coco';
import type { SegmentationLayout, Surroundings } from './segmentation-layout';
import { OWN } from './segmentation-own';
import { VOC } from './segmentation-voc';

const LAYOUTS: readonly SegmentationLayout[] = [OWN, ...VOC, ADE20K, ...COCO, CITYSCAPES];

/** For messages: what would have been recognised. */
export const KNOWN_LAYOUTS: string = LAYOUTS.map(({ looks }) => looks).join('; ');

/** A layout and the folder that it lies in. */
export interface FoundLayout extends Surroundings {
  readonly layout: SegmentationLayout;
  readonly tree: FileTree;
}

/** Folders deep that data may lie: `datasets/VOC2012/VOCdevkit/VOC2012`. */
const MAX_DEPTH = 4;
/** A folder of more names holds pictures or classes, no data sets. */
const MAX_NAMES = 64;
/** Of more archives in one folder, these are shards of pictures without masks. */
const MAX_ARCHIVES = 64;

/** All layouts that lie at a path, those highest up; none where it is no folder and no tar archive. */
export async function findLayouts(spec: string): Promise<readonly FoundLayout[]> {
  const info = await fs.stat(spec).catch(() => undefined);
  if (!info || !(await mayHoldLayouts(spec, info))) return [];
  const tree = await openFileTree(spec).catch(() => undefined);
  return tree ? layoutsOf(tree, [''], MAX_DEPTH) : [];
}

async function mayHoldLayouts(spec: string, info: Stats): Promise<boolean> {
  if (!info.isDirectory()) return spec.toLowerCase().endsWith('.tar');
  const names = await fs.readdir(spec);
  return names.filter((name) => name.toLowerCase().endsWith('.tar')).length <= MAX_ARCHIVES;
}

/** Those of a few folders, else those of the folders in them. */
function layoutsOf(tree: FileTree, folders: readonly string[], depth: number): FoundLayout[] {
  const found = folders.flatMap((folder) => {
    const part = subtree(tree, folder);
    return LAYOUTS.filter((layout) => layout.isHere(part)).map((layout) => ({
      layout,
      tree: part,
      whole: tree,
      folder,
    }));
  });
  if (found.length > 0 || depth === 0) return found;
  const deeper = folders.flatMap((folder) => {
    const names = tree.names(folder);
    return names.length > MAX_NAMES ? [] : names.map((name) => (folder === '' ? name : `${folder}/${name}`));
  });
  return deeper.length === 0 ? [] : layoutsOf(tree, deeper, depth - 1);
}

/**
 * The one that is meant. PASCAL VOC of 2012 is preferred to that of other years; between others `dataset` decides.
 * @throws TrainError `usage` where it is open which
 */
export function chooseLayout(
  spec: string,
  found: readonly FoundLayout[],
  dataset: string | undefined,
): FoundLayout & { readonly notes: readonly string[] } {
  const named = found.filter(({ layout }) => layout.name === dataset);
  const meant = named.length > 0 ? named : found;
  const of2012 = meant.filter(({ folder }) => /(^|\/)VOC2012$/i.test(folder));
  const left = of2012.length > 0 && meant.every(({ layout }) => layout.name === 'voc-2012') ? of2012 : meant;
  const [one, ...others] = left;
  if (one && others.length === 0) {
    const passed = meant.filter((each) => each !== one).map(({ folder }) => folder);
    return { ...one, notes: passed.length > 0 ? [`${passed.join(', ')} of ${spec} are not read`] : [] };
  }
  const names = new Set(left.map(({ layout }) => layout.name));
  const told = left.map(({ layout, folder }) => `${layout.name}${folder ? ` in ${folder}` : ''}`).join(', ');
  throw new TrainError(
    'usage',
    `${spec} has masks of several data sets: ${told}; ` +
      (names.size === left.length
        ? `say which is meant with --dataset ${[...names].join(' or --dataset ')}`
        : 'give the folder of one of them'),
  );
}
