/**
 * A text file that lists images, one per line: a path, or a path and a label (`list-lines.ts` says how).
 *
 * Relative paths are taken from the list's own folder, or from a root that is given: `list:FILE:root=FOLDER`. What was listed twice, is not there or has no label is told in notes; a
 * list of which nothing is there is refused.
 */

import path from 'node:path';
import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOptions, DataError } from '../errors';
import { openLocalFile, readImageFile } from '../files/byte-file';
import { fileVersion } from '../files/file-version';
import { isFile } from '../files/is-file';
import { isFolder } from '../files/is-folder';
import type { ImageSource } from '../images/image-source';
import { classLabels, count, sortedClasses } from './labels';
import { decodeText, type ListedImage, parseLines } from './list-lines';
import { isPassedOver } from './passed-over';
import type { SourceKind } from './source-kind';

export interface ListOptions {
  /** Fixes the class list, e.g. to the one of the training list. Other labels are unlisted classes. */
  readonly classes?: readonly string[] | undefined;
  /** Where relative paths start. Default the folder of the list. */
  readonly root?: string | undefined;
}

const OPTIONS: OptionKinds<ListOptions> = { classes: 'strings', root: 'string' };

const MAX_LIST_BYTES = 1024 * 1024 * 1024;
/** So many files are looked for when a list is opened, evenly spaced, and so many at once. */
const LOOKED_FOR = 20_000;
const AT_ONCE = 256;

export const listKind: SourceKind<'list'> = {
  kind: 'list',
  says: 'a .txt or .csv list (with :root=FOLDER behind it where its paths start elsewhere)',
  labels: 'behind the path, if there are any',
  prefixed: true,
  ofText: (text) =>
    /\.(txt|csv|tsv|lst|list):root=./i.test(text) ? 'it names a list and the root of its paths' : undefined,
  ofFile: (name) => (/\.(txt|csv|tsv|lst|list)$/.test(name) ? 'is a text list' : undefined),
  open: (target, { classes }) => {
    const { file, root } = targetOf(target);
    return listSource(file, { classes, root });
  },
  validation: async (target, part) => {
    const { file, root } = targetOf(target);
    for (const other of part === 'test' ? ['test'] : ['val', 'valid', 'validation', 'dev', 'test']) {
      const beside = path.join(path.dirname(file), path.basename(file).replace(/^train(?![a-z])/i, other));
      if (beside !== path.normalize(file) && (await isFile(beside))) return beside + (root ? ROOT + root : '');
    }
    return undefined;
  },
};

const ROOT = ':root=';

/** The list and the root of `FILE:root=FOLDER`. */
function targetOf(target: string): { readonly file: string; readonly root: string | undefined } {
  const at = target.indexOf(ROOT);
  return at < 0
    ? { file: target, root: undefined }
    : { file: target.slice(0, at), root: target.slice(at + ROOT.length) || undefined };
}

interface Entry extends ListedImage {
  readonly absolute: string;
}

/**
 * Opens a list. The images themselves are only looked for; they are opened when they are read.
 * @throws DataError not-found, empty-source also where none of its files is there, or spec with the line that is
 * not understood
 */
export async function listSource(listPath: string, options: ListOptions = {}): Promise<ImageSource> {
  checkArgument('listSource', 'listPath', listPath, 'string');
  checkOptions('listSource', options, OPTIONS);
  const file = await openLocalFile(listPath);
  if (file.size > MAX_LIST_BYTES) throw new DataError('spec', `${listPath}: ${file.size} bytes is no list of images`);
  const folder = options.root ?? path.dirname(listPath);
  if (options.root !== undefined && !(await isFolder(folder)))
    throw new DataError('not-found', `${folder} is no folder, and the paths of ${listPath} are to start there`);
  const listed = parseLines(decodeText(await file.read(0, file.size), listPath), listPath);
  const entries: Entry[] = listed
    .filter((entry) => !isTrace(entry.file, folder))
    .map((entry) => ({ ...entry, absolute: path.resolve(folder, entry.file) }));
  const traces = listed.length - entries.length;
  if (entries.length === 0)
    throw new DataError(
      'empty-source',
      `${listPath} lists no image${traces > 0 ? `, only ${traces} hidden files` : ''}`,
    );

  const labels = entries.map(({ label }) => label);
  const classes = sortedClasses(labels);
  const { keys, note } = uniqueKeys(entries);
  const notes = [
    traces > 0 && `${count(traces, 'hidden file', 'hidden files')} in ${listPath} are passed over`,
    note && `${listPath} ${note}`,
    classes.length > 0 && unlabelledNote(listPath, entries),
    await missingNote(listPath, folder, entries),
  ].filter((each) => each !== undefined && each !== false);
  return {
    name: `list ${listPath}`,
    length: entries.length,
    ...(classes.length > 0 && classLabels(labels, options.classes ?? classes)),
    ...(notes.length > 0 && { notes }),
    key: (index) => keys[index]!,
    version: (index) => fileVersion(entries[index]!.absolute),
    read: async (index) => ({ encoded: await readImageFile(entries[index]!.absolute) }),
  };
}

/** The folders that lead to the list are the user's own, whatever their names. */
function isTrace(file: string, folder: string): boolean {
  const inside = path.isAbsolute(file) ? path.relative(folder, file) : file;
  return isPassedOver(inside.startsWith('..') ? path.basename(file) : inside.split(path.sep).join('/'));
}

/** The path as it was listed; where a file was listed before, with the line. */
function uniqueKeys(entries: readonly Entry[]): { readonly keys: string[]; readonly note: string | undefined } {
  const first = new Map<string, Entry>();
  const repeats: Entry[] = [];
  let conflict: Entry | undefined;
  const keys = entries.map((entry) => {
    const before = first.get(entry.absolute);
    if (!before) {
      first.set(entry.absolute, entry);
      return entry.file;
    }
    repeats.push(entry);
    if (before.label !== entry.label) conflict ??= entry;
    return `${entry.file} (line ${entry.line})`;
  });
  const [example] = repeats;
  if (!example) return { keys, note: undefined };
  const note =
    `lists ${count(repeats.length, 'file', 'files')} again, the first ${example.file} on line ${example.line}; copies count as ` +
    'images of their own, and where a part is held out both parts may hold some';
  const labels = conflict && `; ${conflict.file} has another label on line ${conflict.line} than before`;
  return { keys, note: note + (labels ?? '') };
}

function unlabelledNote(listPath: string, entries: readonly Entry[]): string | undefined {
  const without = entries.filter(({ label }) => label === undefined);
  const [first] = without;
  return (
    first &&
    `${without.length} of ${entries.length} lines of ${listPath} have no label, the first ${first.line} (${first.file})`
  );
}

/** @throws DataError empty-source where none of the files is there */
async function missingNote(listPath: string, folder: string, entries: readonly Entry[]): Promise<string | undefined> {
  const looked = Math.min(entries.length, LOOKED_FOR);
  const missing: Entry[] = [];
  for (let from = 0; from < looked; from += AT_ONCE) {
    const some = Array.from(
      { length: Math.min(AT_ONCE, looked - from) },
      (_, i) => entries[Math.floor(((from + i) * entries.length) / looked)]!,
    );
    const there = await Promise.all(some.map(({ absolute }) => isFile(absolute)));
    missing.push(...some.filter((_, i) => !there[i]));
  }
  const [first] = missing;
  if (!first) return undefined;
  const example = `the first is ${JSON.stringify(first.file)} on line ${first.line}, looked for as ${first.absolute}`;
  if (missing.length === looked)
    throw new DataError(
      'empty-source',
      `${listPath}: none of ${count(looked, 'file', 'files')} is there; ${example}; paths are taken from ${folder}; ` +
        `write list:${listPath}${ROOT}FOLDER for another`,
    );
  return `${missing.length} of ${looked} files that ${listPath} lists are not there; ${example}`;
}
