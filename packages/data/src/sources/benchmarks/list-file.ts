/**
 * The text files of published data sets: their lines with numbers, what stands in them, and images by the paths that they give.
 *
 * They come from wherever the user got them. A path must stay below its folder, a number must be one of those that there are, and what is wrong is named
 * by file and line.
 */

import path from 'node:path';
import { DataError } from '../../errors';
import { openLocalFile } from '../../files/byte-file';
import { isFile } from '../../files/is-file';
import { decodeText } from '../list-lines';

const MAX_BYTES = 64 * 2 ** 20;
/** Longer than any path. */
const MAX_LINE = 4096;

export interface ListLine {
  /** Path of the file and number of the line, for messages. */
  readonly where: string;
  readonly text: string;
}

/**
 * The lines of a text that are not blank, without spaces around them.
 * @param comes which archive the file is in, for the message where it is not there
 * @throws DataError not-found, or damaged-file for what is no such text
 */
export async function readLines(file: string, comes: string): Promise<ListLine[]> {
  if (!(await isFile(file))) throw new DataError('not-found', `${file} is not there; it comes ${comes}`);
  const lines = (await readList(file))
    .split(/\r\n|\n|\r/)
    .map((text, at) => ({ where: `${file} line ${at + 1}`, text: text.trim() }))
    .filter(({ text }) => text !== '');
  const long = lines.find(({ text }) => text.length > MAX_LINE);
  if (long) throw damaged(long, `has ${long.text.length} characters`);
  return lines;
}

/** The text of a list whole. @throws DataError damaged-file, or spec for what is no text */
export async function readList(file: string): Promise<string> {
  const opened = await openLocalFile(file);
  if (opened.size > MAX_BYTES)
    throw new DataError('damaged-file', `${file}: ${opened.size} bytes is no list of a data set`);
  return decodeText(await opened.read(0, opened.size), file);
}

/** A line that cannot be used. */
export const damaged = ({ where, text }: ListLine, why: string): DataError =>
  new DataError('damaged-file', `${where}: ${JSON.stringify(text.slice(0, 120))} ${why}; download the file anew`);

/** The fields of a line between spaces; the last one may hold spaces itself. @throws DataError unless there are so many */
export function fieldsOf(line: ListLine, count: number): string[] {
  const fields = line.text.split(/\s+/);
  if (fields.length < count) throw damaged(line, `has ${fields.length} fields in place of ${count}`);
  const first = fields.slice(0, count - 1);
  const rest = first.reduce((text, field) => text.slice(text.indexOf(field) + field.length).trimStart(), line.text);
  return [...first, rest];
}

/** A path below the folder of the data set, as a line gives it. @throws DataError where it leads out */
export function relativePath(line: ListLine, text: string): string {
  const parts = text.split('/');
  const leaves = parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\\'));
  if (leaves || path.isAbsolute(text)) throw damaged(line, 'is no path below the folder of the data set');
  return text;
}

/** A whole number from `least` to `most`. */
export function numberOf(line: ListLine, text: string | undefined, least: number, most: number): number {
  const value = text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most))
    throw damaged(line, `has ${text} where a number from ${least} to ${most} stands`);
  return value;
}

/** The place of a class in the list of classes. */
export function classOf(line: ListLine, name: string, places: ReadonlyMap<string, number>): number {
  const place = places.get(name);
  if (place === undefined)
    throw damaged(line, `is of class ${name}, which is none of the ${places.size} of the data set`);
  return place;
}

/** The place of each name. @throws DataError where one comes twice */
export function placesOf(names: readonly string[], file: string): ReadonlyMap<string, number> {
  const places = new Map(names.map((name, place) => [name, place]));
  if (places.size < names.length)
    throw new DataError('damaged-file', `${file} has classes twice; download the file anew`);
  return places;
}
