/**
 * Lines of text that name images and their labels, as lists and label files have them.
 *
 * A line is a path, or a path and one label behind a tab, a comma, a semicolon or spaces. A path ends with the name of an image
 * format, so that it may hold spaces and commas itself; without one, only a tab or an integer behind a space ends it. Quotes around
 * either are taken away. A label of -1 says that the image is of no class. A first line that names its columns (`path,label`) makes a table of the rest. Windows' backslashes are
 * read as slashes. What fits none of this is refused by line number.
 */

import { DataError } from '../errors';
import { IMAGE_EXTENSIONS } from '../images/image-format';

export interface ListedImage {
  /** Counted from 1. */
  readonly line: number;
  /** As written, with `/` between its parts. */
  readonly file: string;
  readonly label?: string;
}

const EXTENSION = `\\.(?:${IMAGE_EXTENSIONS.map((each) => each.replace('.', '')).join('|')})`;
/** What lists give to images of no class. */
const NO_CLASS = '-1';
const BARE = new RegExp(`${EXTENSION}$`, 'i');
const LABELLED = new RegExp(`^(.*${EXTENSION})(\\s*[,;]\\s*|\\s+)(.*)$`, 'i');
const PATH_COLUMNS = [
  'path',
  'file',
  'filename',
  'file_name',
  'filepath',
  'file_path',
  'image',
  'image_path',
  'img',
  'img_path',
];
const LABEL_COLUMNS = ['label', 'labels', 'class', 'class_name', 'target', 'category', 'wnid'];
/** Longer than any path: what is longer is no list, and would take long to take apart. */
const MAX_LINE = 8192;
const EXPECTED = 'expected a path, or a path and one label behind a tab, a comma or a space';

/**
 * The text of a list: UTF-8, or UTF-16 that says so.
 * @param name for messages
 * @throws DataError `spec`
 */
export function decodeText(bytes: Uint8Array, name: string): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8';
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError('spec', `${name} is not a text file in UTF-8`, { cause });
  }
  if (text.includes('\0')) throw new DataError('spec', `${name} is not a text file`);
  return text;
}

/**
 * The images that a text lists, in its order. Blank lines and lines that begin with `# ` are passed over.
 * @param name for messages
 * @throws DataError `spec` with the first line that is not understood
 */
export function parseLines(text: string, name: string): ListedImage[] {
  const lines = text
    .split(/\r\n|\n|\r/)
    .map((content, at) => ({ line: at + 1, content: content.trimEnd() }))
    .filter(({ content }) => content.trim() !== '' && !/^#(\s|$)/.test(content));
  const [head, ...rest] = lines;
  if (!head) return [];
  const refused = ({ line, content }: Line, why: string): DataError =>
    new DataError('spec', `${name} line ${line}: ${JSON.stringify(content.slice(0, 120))} ${why}`);
  const long = lines.find(({ content }) => content.length > MAX_LINE);
  if (long) throw refused(long, `has ${long.content.length} characters; ${EXPECTED}`);
  const columns = tableColumns(head, refused);
  const read = columns ? (line: Line) => readRow(line, columns, refused) : (line: Line) => readLine(line, refused);
  return (columns ? rest : lines).map((line) => {
    const { file, label } = read(line);
    if (/^[a-z]+:\/\//i.test(file)) throw refused(line, 'is an address; a list holds paths of files');
    const named = label !== undefined && label !== '' && label !== NO_CLASS;
    return { line: line.line, file: file.replaceAll('\\', '/'), ...(named ? { label: plainNumber(label) } : {}) };
  });
}

interface Line {
  readonly line: number;
  readonly content: string;
}
type Refusal = (line: Line, why: string) => DataError;

/** `007` and `7` are the same class, in whichever part they stand. */
const plainNumber = (label: string): string => (/^\d{1,15}$/.test(label) ? String(Number(label)) : label);

interface Columns {
  readonly separator: string;
  readonly path: number;
  readonly label: number | undefined;
  readonly count: number;
}

/** The columns that a first line names, where it does. */
function tableColumns(head: Line, refused: Refusal): Columns | undefined {
  const separator = ['\t', ';', ','].find((each) => head.content.includes(each));
  if (!separator) return undefined;
  const names = splitRow(head.content, separator)?.map((each) => each.toLowerCase()) ?? [];
  const path = names.findIndex((each) => PATH_COLUMNS.includes(each));
  if (path < 0 || names.some((each) => BARE.test(each))) return undefined;
  const named = names.findIndex((each) => LABEL_COLUMNS.includes(each));
  const label = named < 0 && names.length === 2 ? 1 - path : named;
  if (label < 0) throw refused(head, `names no column of labels; call it ${LABEL_COLUMNS.slice(0, 3).join(', ')}`);
  return { separator, path, label, count: names.length };
}

function readRow(line: Line, { separator, path, label, count }: Columns, refused: Refusal): Entry {
  const fields = splitRow(line.content, separator);
  if (fields?.length !== count || !fields[path]) throw refused(line, `has not the ${count} columns of the first line`);
  return { file: fields[path]!, label: label === undefined ? undefined : fields[label] };
}

interface Entry {
  readonly file: string;
  readonly label: string | undefined;
}

function readLine(line: Line, refused: Refusal): Entry {
  const content = line.content.trim();
  const tab = splitRow(line.content, '\t');
  if (tab && tab.length > 1) {
    const fields = tab.at(-1) === '' ? tab.slice(0, -1) : tab;
    if (fields.length > 2 || !fields[0]) throw refused(line, `has ${fields.length} fields; ${EXPECTED}`);
    return { file: fields[0]!, label: fields[1] };
  }
  const quoted = /^"((?:[^"]|"")*)"(\s*[,;]\s*|\s+|$)(.*)$/.exec(content);
  if (quoted) return labelled(line, quoted[1]!.replaceAll('""', '"'), quoted[2]!, quoted[3]!, refused);
  if (content.startsWith('"')) throw refused(line, `has a quote without its end; ${EXPECTED}`);
  if (BARE.test(content)) return { file: content, label: undefined };
  const [, file, between, rest] = LABELLED.exec(content) ?? /^(.*\S)(\s+)(\d+|-1)$/.exec(content) ?? [];
  if (file !== undefined) return labelled(line, file, between!, rest!, refused);
  if (/[,;]/.test(content)) throw refused(line, `is not understood; ${EXPECTED}`);
  return { file: content, label: undefined };
}

/** A path and what stands behind it, which must be one label. */
function labelled(line: Line, file: string, between: string, rest: string, refused: Refusal): Entry {
  const quoted = /^"((?:[^"]|"")*)"$/.exec(rest);
  const label = quoted ? quoted[1]!.replaceAll('""', '"') : rest;
  const several = between.trim() ? /[,;]/.test(rest) : /\s/.test(rest);
  if (!file || (!quoted && several))
    throw refused(
      line,
      `has more than one label; ${EXPECTED}; a label of several words stands behind a tab or in quotes`,
    );
  return { file, label: label || undefined };
}

/** The fields of a row without their quotes; undefined where a quote has no end. */
function splitRow(row: string, separator: string): string[] | undefined {
  const fields: string[] = [];
  let rest: string | undefined = row;
  while (rest !== undefined) {
    const quoted = /^\s*"((?:[^"]|"")*)"\s*(?=$|[\t,;])/.exec(rest);
    if (!quoted && /^\s*"/.test(rest)) return undefined;
    const end: number = quoted ? quoted[0].length : rest.indexOf(separator);
    fields.push(quoted ? quoted[1]!.replaceAll('""', '"') : rest.slice(0, end < 0 ? undefined : end).trim());
    const next: string | undefined = end < 0 || end >= rest.length ? undefined : rest.slice(end + 1);
    if (quoted && next !== undefined && rest[end] !== separator) return undefined;
    rest = next;
  }
  return fields;
}
