/**
 * A folder that holds its parts as folders: `train` and `val`, the layout of ImageNet.
 *
 * ImageNet is `{train,val}/{wnid}/*.JPEG` and `labels.txt` with lines `wnid,name`; `test` is flat. Parts share the class
 * list of the training part, so that a label means the same in each. Nothing is said about how many images there must be:
 * any subset works.
 */

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { DataError } from '../errors';
import { isFolder } from '../files/is-folder';
import { hasImageExtension } from '../images/image-format';
import type { ImageSource } from '../images/image-source';
import { byCodeUnit } from './by-code-unit';
import { folderSource } from './folder';
import type { SourceKind, Split } from './source-kind';

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
  open: (target, { split = 'train' }) => splitFolderSource(target, split),
  validation: (target) => target,
};

/** The parts that exist below `root`, with their folders. Without a validation part, the test part serves as one. */
export async function findSplitFolders(root: string): Promise<Partial<Record<Split, string>>> {
  const found: Partial<Record<Split, string>> = {};
  const entries = await readdir(root).catch(() => []);
  for (const split of ['train', 'val', 'test'] as const) {
    const name = entries.find((entry) => FOLDER_NAMES[split].includes(entry.toLowerCase()));
    const folder = name && path.join(root, name);
    if (folder && (await isFolder(folder))) found[split] = folder;
  }
  if (!found.val && found.test) found.val = found.test;
  return found;
}

/**
 * Opens one part of a folder of parts.
 * @throws DataError not-found when the folder has no such part
 */
export async function splitFolderSource(root: string, split: Split): Promise<ImageSource> {
  const folders = await findSplitFolders(root);
  const folder = folders[split];
  if (!folder) {
    const present = Object.keys(folders).join(', ') || 'none';
    throw new DataError('not-found', `${root} has no ${FOLDER_NAMES[split][0]} folder (parts found: ${present})`);
  }
  const classes = folders.train && folders.train !== folder ? await subfolders(folders.train) : undefined;
  const source = await folderSource(folder, classes && classes.length > 1 ? { classes } : {});
  const titles = source.classes && (await readTitles(root, source.classes));
  return titles ? { ...source, classTitles: titles } : source;
}

async function subfolders(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  const kept = await Promise.all(
    names
      .filter((name) => !name.startsWith('.'))
      .map(async (name) => [name, await isFolder(path.join(folder, name))] as const),
  );
  return kept.flatMap(([name, folderLike]) => (folderLike ? [name] : [])).sort(byCodeUnit);
}

/** Human class names from `labels.txt` (`wnid,name`) or `classes.json` (`{"wnid": "name"}`), where there is one. */
async function readTitles(root: string, classes: readonly string[]): Promise<string[] | undefined> {
  const titles = (await fromLabelsText(root)) ?? (await fromClassesJson(root));
  return titles && classes.map((name) => titles.get(name) ?? name);
}

async function fromLabelsText(root: string): Promise<Map<string, string> | undefined> {
  const text = await readFile(path.join(root, 'labels.txt'), 'utf8').catch(() => undefined);
  const lines = text?.split('\n').flatMap((line) => {
    const comma = line.indexOf(',');
    return comma > 0 ? [[line.slice(0, comma).trim(), line.slice(comma + 1).trim()] as const] : [];
  });
  return lines && new Map(lines);
}

async function fromClassesJson(root: string): Promise<Map<string, string> | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path.join(root, 'classes.json'), 'utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return new Map(Object.entries(value).flatMap(([id, title]) => (typeof title === 'string' ? [[id, title]] : [])));
  } catch {
    return undefined;
  }
}
