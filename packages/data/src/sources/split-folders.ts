/**
 * A folder that holds its parts as folders: `train` and `val`, the layout of ImageNet.
 *
 * ImageNet is `{train,val}/{wnid}/*.JPEG` and `labels.txt` with lines `wnid,name`; `test` is flat, and so is `val` where a
 * text file holds its labels (`label-files.ts`). Parts share the class list of the training part, which are the folders that
 * hold its images, so that a label means the same in each. Nothing is said about how many images there must be: any subset works.
 */

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { checkArgument, DataError } from '../errors';
import { listFolder } from '../files/file-system';
import { isFolder } from '../files/is-folder';
import { hasImageExtension } from '../images/image-format';
import type { ImageSource } from '../images/image-source';
import { byCodeUnit } from './by-code-unit';
import { readClassTitles } from './class-titles';
import { folderSource } from './folder';
import { labelsBeside } from './label-files';
import { folderLabels } from './labels';
import { isPassedOver } from './passed-over';
import type { SourceKind, Split } from './source-kind';
import { walkImages } from './walk-images';

const FOLDER_NAMES: Readonly<Record<Split, readonly string[]>> = {
  train: ['train', 'training'],
  val: ['val', 'valid', 'validation'],
  test: ['test', 'testing'],
};

export const splitsKind: SourceKind<'splits'> = {
  kind: 'splits',
  says: 'a folder with train and val folders',
  labels: 'class folders',
  prefixed: true,
  ofFolder: ({ nested, hasParts, taken }) =>
    hasParts && (nested.some(hasImageExtension) || !taken) ? 'has a train folder' : undefined,
  open: (target, { split = 'train', classes }) => splitFolderSource(target, split, classes),
  validation: (target) => target,
};

const FLAT =
  'its images lie in no class folders, and no file beside them names their classes; put one there (val_annotations.txt, ' +
  'LOC_val_solution.csv, the folder ILSVRC2012_devkit_t12, or a val.txt with lines "image class"), or sort the images into class folders';

/** The parts that exist below a folder, with their folders. */
export type SplitFolders = Partial<Record<Split, string>>;

/**
 * Finds the parts. Without a validation part, the test part serves as one.
 * @throws DataError ambiguous-source where two folders could be the same part
 */
export async function findSplitFolders(root: string): Promise<SplitFolders> {
  const found: SplitFolders = {};
  const entries = await readdir(root).catch(() => []);
  for (const split of ['train', 'val', 'test'] as const) {
    const named = entries.filter((entry) => FOLDER_NAMES[split].includes(entry.toLowerCase())).sort(byCodeUnit);
    const folders = await foldersOf(root, named);
    if (folders.length > 1) {
      const listed = folders.map((name) => path.join(root, name)).join(' and ');
      throw new DataError('ambiguous-source', `${listed} could both be the ${split} part: rename or move one`);
    }
    if (folders[0]) found[split] = path.join(root, folders[0]);
  }
  if (!found.val && found.test) found.val = found.test;
  return found;
}

/** Folders below `root` that are no part and no trace. */
export async function otherFolders(root: string): Promise<string[]> {
  const parts = Object.values(FOLDER_NAMES).flat();
  const entries = await readdir(root).catch(() => []);
  const names = entries.filter((name) => !isPassedOver(name) && !parts.includes(name.toLowerCase()));
  return foldersOf(root, names.sort(byCodeUnit));
}

async function foldersOf(root: string, names: readonly string[]): Promise<string[]> {
  const are = await Promise.all(names.map((name) => isFolder(path.join(root, name))));
  return names.filter((_, at) => are[at]);
}

/**
 * Opens one part of a folder of parts.
 * @param classes fixes the class list; default the classes of the training part
 * @throws DataError not-found when the folder has no such part, empty-source, ambiguous-source
 */
export async function splitFolderSource(root: string, split: Split, classes?: readonly string[]): Promise<ImageSource> {
  checkArgument('splitFolderSource', 'root', root, 'string');
  checkArgument('splitFolderSource', 'split', split, Object.keys(FOLDER_NAMES));
  if (classes !== undefined) checkArgument('splitFolderSource', 'classes', classes, 'strings');
  await listFolder(root);
  const folders = await findSplitFolders(root);
  const folder = folders[split];
  if (!folder) {
    const present = Object.keys(folders).join(', ') || 'none';
    throw new DataError('not-found', `${root} has no ${FOLDER_NAMES[split][0]} folder (parts found: ${present})`);
  }
  const source = await openPart(folders, folder, classes);
  const stands = split === 'val' && folder === folders.test && `there is no val folder: ${folder} stands in for it`;
  const notes = [...(source.notes ?? []), ...(stands ? [stands] : [])];
  const titles = source.classes && (await readClassTitles(root, source.classes));
  return { ...source, ...(notes.length > 0 && { notes }), ...(titles && { classTitles: titles }) };
}

/** A folder with the class list of the training part. */
async function openPart({ train }: SplitFolders, folder: string, given?: readonly string[]): Promise<ImageSource> {
  if (!train || train === folder) return folderSource(folder);
  const classes = given ?? (await classesOf(train));
  return classes ? labelledFolder(folder, classes) : folderSource(folder);
}

/** A folder with a class list, by its class folders; a flat one is labelled by a text file where that can be done. */
export async function labelledFolder(folder: string, classes: readonly string[]): Promise<ImageSource> {
  const source = await folderSource(folder, { classes });
  if (isLabelled(source)) return source;
  const { classes: _, label: __, unlistedClass: ___, whyUnlabelled: ____, ...flat } = source;
  const beside = await labelsBeside(flat, folder, classes);
  if (beside) return { ...flat, ...beside };
  return source.classes || source.whyUnlabelled ? source : { ...source, whyUnlabelled: FLAT };
}

/** The classes of a folder of images, if it has any: folders that hold images. */
async function classesOf(folder: string): Promise<readonly string[] | undefined> {
  const labels = folderLabels((await walkImages(folder)).files);
  return labels && 'classes' in labels ? labels.classes : undefined;
}

/** Whether an image at least is of a class of the list. */
const isLabelled = ({ length, label }: ImageSource): boolean =>
  Array.from({ length }, (_, index) => label?.(index)).some((each) => each !== undefined);
