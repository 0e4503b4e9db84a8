/**
 * COCO of 2017 with the coarse classes of the dense evaluations: COCO-Stuff (15 kinds of stuff, from the pixel maps of stuff) and COCO-Things (12 kinds of
 * things, from panoptic masks, or from those that were converted to one category a pixel).
 */
import type { FileTree } from '@franca/data';
import { type CocoKind, checkCategories, cocoClasses, cocoValues } from './coco-categories';
import { readCategories, readPanoptic } from './coco-panoptic';
import { firstFolder, type LayoutPart, type OpenedLayout, type SegmentationLayout } from './segmentation-layout';
import { findPairs } from './segmentation-pairs';

type Split = 'train2017' | 'val2017';
const SPLITS: readonly Split[] = ['train2017', 'val2017'];
const PUBLISHED: Readonly<Record<Split, number>> = { train2017: 118_287, val2017: 5_000 };

/** Of train2017, as the published protocols draw it. */
const PAPER_SHARE = 0.1;

const below = (folders: readonly string[], name: string): string[] => folders.map((folder) => folder + name);
const STUFF_FOLDERS = [
  'annotations/stuff_annotations/',
  'annotations/annotations/stuff_annotations/',
  'annotations/',
  'stuff_annotations/',
  '',
];
const PANOPTIC_FOLDERS = [
  'annotations/',
  'annotations/panoptic_annotations/',
  'annotations/annotations/panoptic_annotations/',
  'panoptic_annotations/',
  '',
];

/** Where pictures of a part may lie. */
const pictureFolders = (split: Split): string[] => below(['images/', '', 'coco/images/'], split);

/** Masks of categories, as the reference converts panoptic ones: with its folder's own misspelt name. */
const convertedFolders = (split: Split): string[] => [
  `annotations/${split}`,
  ...['semantic_segmentations_', 'semantic_segmenations_'].flatMap((name) => below(PANOPTIC_FOLDERS, name + split)),
];

const maskFolders = (kind: CocoKind, split: Split): string[] =>
  kind === 'stuff'
    ? below(STUFF_FOLDERS, `stuff_${split}_pixelmaps`)
    : [...convertedFolders(split), ...below(PANOPTIC_FOLDERS, `panoptic_${split}`)];

/** A part whose pictures and masks are both there. */
function findPart(tree: FileTree, kind: CocoKind, split: Split) {
  const images = firstFolder(tree, pictureFolders(split));
  const masks = firstFolder(tree, maskFolders(kind, split));
  return images !== undefined && masks !== undefined ? { split, images, masks } : undefined;
}

const layout = (kind: CocoKind, looks: string): SegmentationLayout => ({
  name: `coco-${kind}`,
  looks,
  isHere: (tree) => SPLITS.some((split) => findPart(tree, kind, split) !== undefined),
  open: (tree) => openCoco(tree, kind),
});

export const COCO: readonly SegmentationLayout[] = [
  layout('stuff', 'COCO-Stuff (images/train2017, annotations/stuff_annotations/stuff_train2017_pixelmaps, ...)'),
  layout('things', 'COCO-Things (images/train2017, annotations/panoptic_train2017 and .json, ...)'),
];

async function openCoco(tree: FileTree, kind: CocoKind): Promise<OpenedLayout> {
  const parts = SPLITS.map((split) => findPart(tree, kind, split));
  const [train, val] = await Promise.all(parts.map((part) => part && openPart(tree, kind, part)));
  const missing = SPLITS.filter((_, at) => parts[at] === undefined).flatMap((split) => [
    `images/${split}`,
    maskFolders(kind, split)[0]!,
  ]);
  return {
    dataset: `coco-${kind}`,
    classes: cocoClasses(kind),
    ignore: 255,
    values: cocoValues(kind),
    ...(train && { train }),
    ...(val && { val }),
    missing,
    paperShare: PAPER_SHARE,
    notes: await categoryNotes(tree, kind),
  };
}

async function openPart(
  tree: FileTree,
  kind: CocoKind,
  part: { readonly split: Split; readonly images: string; readonly masks: string },
): Promise<LayoutPart> {
  const { split, masks } = part;
  const found = { ...(await findPairs(tree, part)), published: PUBLISHED[split] };
  const told = { ...found, notes: [`masks of ${split} are those of ${masks}`, ...found.notes] };
  if (!masks.endsWith(`panoptic_${split}`)) return told;
  const file = `${masks}.json`;
  const wanted = new Set(found.pictures.map(({ mask }) => mask.slice(masks.length + 1)));
  const { categories, has, readMask } = await readPanoptic(tree, file, (name) => wanted.has(name));
  checkCategories(kind, categories, `${tree.name}/${file}`);
  const pictures = found.pictures.filter(({ mask }) => has(mask.slice(masks.length + 1)));
  const untold = found.pictures
    .filter((picture) => !pictures.includes(picture))
    .map(({ key }) => `${key} (not in ${file})`);
  return { ...told, pictures, unmasked: [...found.unmasked, ...untold], readMask };
}

/** Categories are compared with those of the file that lies beside the masks of val, as in the reference. */
async function categoryNotes(tree: FileTree, kind: CocoKind): Promise<string[]> {
  const [folders, name] =
    kind === 'stuff' ? [STUFF_FOLDERS, 'stuff_val2017.json'] : [PANOPTIC_FOLDERS, 'panoptic_val2017.json'];
  const file = below(folders, name).find((each) => tree.has(each));
  if (file === undefined) return [`classes are those of the 2017 release; there is no ${name} to compare them with`];
  checkCategories(kind, await readCategories(tree, file), `${tree.name}/${file}`);
  return [];
}
