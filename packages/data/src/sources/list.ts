/**
 * A text file that lists images, one per line: a path, or a path and a label.
 *
 * The label stands behind a tab, or is an integer behind the last space; so paths with spaces need no quoting. Relative paths
 * are taken from the list's own folder. Blank lines and lines that begin with `# ` are passed over.
 */

import path from 'node:path';
import { DataError } from '../errors';
import { openLocalFile, readImageFile } from '../files/byte-file';
import type { ImageSource } from '../images/image-source';
import { classLabels, sortedClasses } from './labels';
import type { SourceKind } from './source-kind';

export interface ListOptions {
  /** Fixes the class list, e.g. to the one of the training list. Other labels count as none. */
  readonly classes?: readonly string[] | undefined;
}

const MAX_LIST_BYTES = 1024 * 1024 * 1024;

export const listKind: SourceKind<'list'> = {
  kind: 'list',
  says: 'a .txt list',
  labels: 'behind the path, if there are any',
  prefixed: true,
  ofFile: (name) => (/\.(txt|tsv|lst|list)$/.test(name) ? 'is a text list' : undefined),
  open: (target, { classes }) => listSource(target, { classes }),
  validation: 'held out',
};

/**
 * Opens a list. The images themselves are only looked at when they are read.
 * @throws DataError not-found, empty-source, or bad-spec when the file is not text
 */
export async function listSource(listPath: string, options: ListOptions = {}): Promise<ImageSource> {
  const file = await openLocalFile(listPath);
  if (file.size > MAX_LIST_BYTES)
    throw new DataError('bad-spec', `${listPath}: ${file.size} bytes is no list of images`);
  const text = new TextDecoder().decode(await file.read(0, file.size));
  if (text.includes('\0')) throw new DataError('bad-spec', `${listPath} is not a text file`);
  const lines = text
    .split(/\r?\n/)
    .filter((line) => line.trim() && !line.startsWith('# '))
    .map(parseLine);
  if (lines.length === 0) throw new DataError('empty-source', `${listPath} lists no image`);

  const found = lines.map(({ label }) => label);
  const classes = sortedClasses(found);
  const folder = path.dirname(listPath);
  return {
    name: `list ${listPath}`,
    length: lines.length,
    ...(classes.length > 0 && classLabels(found, options.classes ?? classes)),
    key: (index) => lines[index]!.file,
    read: async (index) => ({ encoded: await readImageFile(path.resolve(folder, lines[index]!.file)) }),
  };
}

function parseLine(line: string): { file: string; label?: string } {
  const labelled = /^([^\t]+)\t\s*(.*\S)\s*$/.exec(line) ?? /^(.*\S)\s+(\d+)\s*$/.exec(line);
  return labelled ? { file: labelled[1]!.trim(), label: labelled[2]! } : { file: line.trim() };
}
