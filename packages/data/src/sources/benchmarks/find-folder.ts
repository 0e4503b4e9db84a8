/** Where a published data set lies below a folder, by the names of a few of its files. */

import { opendir } from 'node:fs/promises';
import path from 'node:path';
import { isFile } from '../../files/is-file';
import { isFolder } from '../../files/is-folder';
import { isPassedOver } from '../passed-over';

export interface FolderSigns {
  /** What the folder is called where an archive or another program made it; `/` stands between parts. */
  readonly names: readonly string[];
  /** Files, and folders with a `/` at the end, that are all there in the folder. */
  readonly signs: readonly string[];
}

/** Entries of a folder that are looked at, at most, to see whether it holds one folder alone. */
const MAX_LOOKED_AT = 64;

/** The first of `root`, folders of the given names in it, and the one folder in it where there is one alone, that has all signs. */
export const findFolder = (root: string, { names, signs }: FolderSigns): Promise<string | undefined> =>
  findWhere(root, names, (folder) => hasAll(folder, signs));

/** The same by another sign. */
export async function findWhere(
  root: string,
  names: readonly string[],
  isIt: (folder: string) => Promise<boolean>,
): Promise<string | undefined> {
  for (const folder of [root, ...names.map((name) => path.join(root, name))]) if (await isIt(folder)) return folder;
  const only = await onlyFolder(root);
  return only !== undefined && (await isIt(only)) ? only : undefined;
}

/** Whether a folder has all of these: files, and folders with a `/` at the end. */
export async function hasAll(folder: string, signs: readonly string[]): Promise<boolean> {
  for (const sign of signs) {
    const where = path.join(folder, sign);
    if (!(sign.endsWith('/') ? await isFolder(where) : await isFile(where))) return false;
  }
  return true;
}

/** The first of some folders, relative to `root`, that has all signs; relative as it was given. */
export async function firstWith(
  root: string,
  folders: readonly string[],
  signs: readonly string[],
): Promise<string | undefined> {
  for (const folder of folders) if (await hasAll(path.join(root, folder), signs)) return folder;
  return undefined;
}

/** The folder in `root` where there is one alone. */
async function onlyFolder(root: string): Promise<string | undefined> {
  const folders: string[] = [];
  let seen = 0;
  const entries = await opendir(root).catch(() => undefined);
  if (!entries) return undefined;
  for await (const entry of entries) {
    if (++seen > MAX_LOOKED_AT) return undefined;
    if (isPassedOver(entry.name) || entry.isFile()) continue;
    const folder = path.join(root, entry.name);
    if (await isFolder(folder)) folders.push(folder);
    if (folders.length > 1) return undefined;
  }
  return folders[0];
}
