/** The archives that a path or an address means: itself, or those of one part in a folder. */

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { DataError } from '../errors';
import { isFolder } from '../files/is-folder';
import { byCodeUnit } from './by-code-unit';
import type { Split } from './source-kind';
import { chooseFiles, foldersWithParts } from './split-files';

/**
 * Lists the archives of a part. Where no name in a folder speaks of a part, all are training data.
 * @throws DataError empty-source for a folder without any, not-found for a part that it does not have, ambiguous-source for several
 * data sets in one folder
 */
export async function archivesAt(target: string, extension: string, split: Split = 'train'): Promise<string[]> {
  if (!(await isFolder(target))) return [target];
  const names = (await readdir(target, { recursive: true }))
    .filter((name) => name.endsWith(extension))
    .map((name) => name.split(path.sep).join('/'))
    .sort(byCodeUnit);
  if (names.length === 0) throw new DataError('empty-source', `${target} holds no ${extension} file`);
  const sets = foldersWithParts(names);
  if (sets.length > 1) {
    const ways = sets.slice(0, 4).map((set) => path.join(target, set));
    throw new DataError(
      'ambiguous-source',
      `${target} holds several data sets with parts of their own; give ${ways.join(' or ')}`,
    );
  }
  return chooseFiles(target, names, split).map((name) => path.join(target, name));
}
