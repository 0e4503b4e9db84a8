/** The archives that a path or an address means: itself, or those of one part in a folder. */

import path from 'node:path';
import { DataError } from '../errors';
import { isFolder } from '../files/is-folder';
import { leftOut, leftOutNotes, passedOverNotes } from './left-out';
import type { Split } from './source-kind';
import { type ChosenFiles, chooseFiles, foldersWithParts } from './split-files';
import { walkFiles } from './walk-images';

const COMPRESSED = /\.(tgz|tar\.\w+|zip|7z|rar)$/i;

/**
 * Lists the archives of a part, links included. Where no name in a folder speaks of a part, all are training data.
 * @throws DataError empty-source for a folder without any, not-found for a part that it does not have, ambiguous-source for several
 * data sets in one folder
 */
export async function archivesAt(target: string, extension: string, split: Split = 'train'): Promise<ChosenFiles> {
  if (!(await isFolder(target))) return { files: [target], notes: [] };
  const compressed: string[] = [];
  const found = await walkFiles(target, (name) => {
    if (COMPRESSED.test(name)) compressed.push(name);
    return name.toLowerCase().endsWith(extension);
  });
  if (found.files.length === 0) throw new DataError('empty-source', `${target} holds no ${extension} file`);
  const sets = foldersWithParts(found.files);
  if (sets.length > 1) {
    const ways = sets.slice(0, 4).map((set) => path.join(target, set));
    throw new DataError(
      'ambiguous-source',
      `${target} holds several data sets with parts of their own; give ${ways.join(' or ')}`,
    );
  }
  const { files, notes } = chooseFiles(target, found.files, split);
  return {
    files: files.map((name) => path.join(target, name)),
    notes: [
      ...notes,
      ...leftOutNotes('compressed archives are not used', leftOut(compressed), 'unpack them'),
      ...leftOutNotes('files, folders or links could not be read', leftOut(found.unreadable)),
      ...passedOverNotes(leftOut(found.passedOver)),
    ],
  };
}
