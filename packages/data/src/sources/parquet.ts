/**
 * Parquet files with one encoded image per row, as Hugging Face data sets store them.
 *
 * The image column is a struct with a `bytes` field (the hub's Image feature) or a column of plain bytes; the label column is
 * an integer or text, with class names from the hub's metadata where it has them. A parquet file is only readable by the
 * row group, so decoded row groups are kept in a bounded cache, and `runs` tells the sampler to stay within a few of them
 * at a time.
 */

import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOptions, DataError } from '../errors';
import type { ByteFile } from '../files/byte-file';
import { openFile } from '../files/open-file';
import {
  type ByteRows,
  createParquetDecoder,
  type ParquetColumn,
  type ParquetDecoder,
} from '../formats/parquet-decoder';
import type { DecodeLimits } from '../formats/parquet-worker';
import type { ImageSource } from '../images/image-source';
import { prefetch } from '../prefetch';
import { archivesAt } from './archives';
import { byCodeUnit } from './by-code-unit';
import { firstAbove } from './first-above';
import { distinctNames, type Labels, labelsBy } from './labels';
import { withNotes } from './left-out';
import { shortFileNames } from './short-file-names';
import { inSameFolder, PARQUET_READING, type ParquetReading, type SourceKind } from './source-kind';

export interface ParquetOptions extends ParquetReading {
  /** Fixes the class list, e.g. to the one of the training files. */
  readonly classes?: readonly string[] | undefined;
  /** What decoding a row group may take. */
  readonly limits?: DecodeLimits;
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: OptionKinds<ParquetOptions> = {
  ...PARQUET_READING,
  classes: 'strings',
  limits: 'object',
  signal: 'object',
};

interface Group {
  readonly file: ByteFile;
  readonly imageColumn: string;
  /** Row of the group's first image in its file, and in the source. */
  readonly rowInFile: number;
  readonly firstIndex: number;
  readonly length: number;
}

const IMAGE_NAMES = ['image', 'img', 'jpg', 'jpeg', 'png', 'webp', 'image_bytes', 'bytes'];
const LABEL_NAMES = ['label', 'labels', 'fine_label', 'class', 'cls', 'target'];
const DEFAULT_CACHE_BYTES = 512 * 1024 * 1024;
const MAX_GROUP_ROWS = 2 ** 24;
const FILES_IN_FLIGHT = 4;

export const parquetKind: SourceKind<'parquet'> = {
  kind: 'parquet',
  says: '.parquet files',
  labels: 'a label column',
  prefixed: true,
  ofFile: (name) => (name.endsWith('.parquet') ? 'ends in .parquet' : undefined),
  ofFolder: ({ nested }) => (nested.some((name) => name.endsWith('.parquet')) ? 'holds .parquet files' : undefined),
  open: async (target, { split, classes, signal, http, parquet }) => {
    const chosen = await archivesAt(target, '.parquet', split);
    const files = await Promise.all(chosen.files.map((name) => openFile(name, { ...http, signal })));
    return withNotes(await parquetSource(`parquet ${target}`, files, { ...parquet, classes, signal }), chosen.notes);
  },
  validation: inSameFolder,
};

/**
 * Opens parquet files as one source, in the order given.
 * @throws DataError damaged-file, empty-source, or ambiguous-source when the image column must be named
 */
export async function parquetSource(
  name: string,
  files: readonly ByteFile[],
  options: ParquetOptions = {},
): Promise<ImageSource> {
  checkArgument('parquetSource', 'name', name, 'string');
  checkArgument('parquetSource', 'files', files, 'list');
  const odd = files.find((file) => typeof file !== 'object' || file === null || typeof file.read !== 'function');
  if (odd !== undefined)
    throw new DataError(
      'argument',
      `parquetSource: ${String(odd)} is no open file; give what openLocalFile or openHttpFile opens`,
    );
  checkOptions('parquetSource', options, OPTIONS);
  const decoder = createParquetDecoder(options.limits);
  try {
    return await open(name, files, options, decoder);
  } catch (error) {
    await decoder.close();
    throw error;
  }
}

async function open(
  name: string,
  files: readonly ByteFile[],
  options: ParquetOptions,
  decoder: ParquetDecoder,
): Promise<ImageSource> {
  const distinct = shortFileNames(files.map((file) => file.name));
  const names = new Map(files.map((file, at) => [file, distinct[at]!]));
  const groups: Group[] = [];
  const found: LabelColumn[] = [];
  let length = 0;
  const load = (file: ByteFile, signal: AbortSignal): Promise<OpenedFile> =>
    readStructure(file, options, decoder, signal);
  for await (const opened of prefetch(files, load, { inFlight: FILES_IN_FLIGHT, signal: options.signal })) {
    for (const group of opened.groups) {
      groups.push({ ...group, firstIndex: length });
      length += group.length;
    }
    found.push(opened.column);
  }
  if (length === 0) throw new DataError('empty-source', `${name} has no rows`);

  const labels = toLabels(found, options.classes);
  const readGroup = cachedGroups(decoder, options.cacheBytes ?? DEFAULT_CACHE_BYTES);
  const groupEnds = Float64Array.from(groups, ({ firstIndex, length: rows }) => firstIndex + rows);
  const groupOf = (index: number): Group => groups[firstAbove(groupEnds, index)]!;
  return {
    name,
    length,
    runs: groups.map((group) => group.length),
    ...labels,
    key: (index) => {
      const { file, rowInFile, firstIndex } = groupOf(index);
      return `${names.get(file)}#${rowInFile + index - firstIndex}`;
    },
    version: (index) => {
      const { file, imageColumn, rowInFile, firstIndex } = groupOf(index);
      return `${file.version}; row ${rowInFile + index - firstIndex} of ${imageColumn}`;
    },
    read: async (index, signal) => {
      const group = groupOf(index);
      const { bytes, offsets } = await readGroup(group, signal);
      const row = index - group.firstIndex;
      return { encoded: bytes.subarray(offsets[row], offsets[row + 1]) };
    },
    close: () => decoder.close(),
  };
}

interface OpenedFile {
  readonly groups: Omit<Group, 'firstIndex'>[];
  readonly column: LabelColumn;
}

/** The labels of a file's rows: each is a place in the list of those that there are. */
interface LabelColumn {
  readonly rows: number;
  readonly values: readonly string[];
  /** By row [n], in as few bytes as will do; empty where there is no column. */
  readonly places: Uint16Array | Uint32Array;
  readonly titles: readonly string[] | undefined;
}

async function readStructure(
  file: ByteFile,
  options: ParquetOptions,
  decoder: ParquetDecoder,
  signal: AbortSignal,
): Promise<OpenedFile> {
  const { groups: rows, columns, texts } = await decoder.describe(file, signal);
  const imageColumn = findImageColumn(file, columns, options.imageColumn);
  const labelColumn = findLabelColumn(file, columns, options.labelColumn);
  const groups: Omit<Group, 'firstIndex'>[] = [];
  const values = new Map<string, number>();
  const labels: Uint32Array[] = [];
  let rowInFile = 0;
  for (const length of rows) {
    if (!Number.isInteger(length) || length < 0 || length > MAX_GROUP_ROWS) {
      throw new DataError('damaged-file', `${file.name}: a row group of ${length} rows`);
    }
    if (labelColumn) {
      const ofRows = await decoder.texts(file, labelColumn, rowInFile, rowInFile + length, signal);
      labels.push(Uint32Array.from(ofRows, (text) => placeOf(values, text ?? NONE)));
    }
    groups.push({ file, imageColumn, rowInFile, length });
    rowInFile += length;
  }
  const titles = labelColumn ? classNames(texts.huggingface, labelColumn) : undefined;
  return {
    groups,
    column: { rows: rowInFile, values: [...values.keys()], places: joinPlaces(labels, values.size), titles },
  };
}

/** What a missing label stands as: the hub writes -1 where a test set hides its labels. */
const NONE = '-1';

function placeOf(values: Map<string, number>, value: string): number {
  const place = values.get(value) ?? values.size;
  values.set(value, place);
  return place;
}

function joinPlaces(parts: readonly Uint32Array[], values: number): Uint16Array | Uint32Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const joined = values <= 2 ** 16 ? new Uint16Array(length) : new Uint32Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function findImageColumn(file: ByteFile, columns: readonly ParquetColumn[], wanted?: string): string {
  const fits = columns.filter(
    ({ type, isText, fields }) => fields.includes('bytes') || (type === 'BYTE_ARRAY' && !isText && fields.length === 0),
  );
  const structs = fits.filter(({ fields }) => fields.includes('bytes'));
  const named = IMAGE_NAMES.flatMap((name) => fits.filter((column) => column.name === name));
  const candidates = wanted ? fits.filter(({ name }) => name === wanted) : structs.length > 0 ? structs : fits;
  const best = candidates.length === 1 ? candidates[0] : named.find((column) => candidates.includes(column));
  if (best) return best.name;
  const listed = columns.map(({ name }) => name).join(', ');
  throw candidates.length > 1
    ? new DataError(
        'ambiguous-source',
        `${file.name} has several columns of bytes: name one as imageColumn (${listed})`,
      )
    : new DataError(
        'empty-source',
        `${file.name} has no column of image bytes${wanted ? ` named ${wanted}` : ''} (${listed})`,
      );
}

function findLabelColumn(
  file: ByteFile,
  columns: readonly ParquetColumn[],
  wanted: string | false | undefined,
): string | undefined {
  if (wanted === false) return undefined;
  const fits = columns.filter(({ type, isText }) => type === 'INT32' || type === 'INT64' || isText);
  const name = (wanted ? [wanted] : LABEL_NAMES).find((each) => fits.some((column) => column.name === each));
  if (wanted && !name) throw new DataError('not-found', `${file.name} has no label column ${wanted}`);
  return name;
}

/** Class names from the hub's description of the columns. */
function classNames(description: string | undefined, column: string): string[] | undefined {
  try {
    const names: unknown = JSON.parse(description ?? '').info.features[column].names;
    return Array.isArray(names) && names.every((name) => typeof name === 'string') ? distinctNames(names) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Turns values into positions in a class list: the given one, the names that the files have, or the values found. Each file's
 * numbers mean its own names; where it has none, those of the first file that has some.
 */
function toLabels(files: readonly LabelColumn[], fixed: readonly string[] | undefined): Labels | undefined {
  const first = files.find(({ titles }) => titles)?.titles;
  const named = files.map(({ values, titles = first }) =>
    values.map((value) => (value === NONE ? undefined : titles ? titles[Number(value)] : value)),
  );
  const distinct = [...new Set(named.flat())].filter((value) => value !== undefined);
  if (distinct.length === 0) return undefined;
  const titles = [...new Set(files.flatMap((file) => file.titles ?? []))];
  const ends = new Float64Array(files.length);
  for (let file = 0; file < files.length; file++) ends[file] = (ends[file - 1] ?? 0) + files[file]!.rows;
  const nameAt = (index: number): string | undefined => {
    const file = firstAbove(ends, index);
    return named[file]![files[file]!.places[index - (ends[file - 1] ?? 0)]!];
  };
  return labelsBy(nameAt, fixed ?? (titles.length > 0 ? titles : sortedNumbers(distinct)));
}

/** By number where all are whole numbers, negative ones too, else by code unit. */
function sortedNumbers(distinct: readonly string[]): string[] {
  const numbers = distinct.every((value) => /^-?\d+$/.test(value));
  return distinct.toSorted(numbers ? (a, b) => Number(a) - Number(b) : byCodeUnit);
}

/** Row groups decoded last, up to a number of bytes; several readers of one group share its decoding. */
function cachedGroups(
  decoder: ParquetDecoder,
  maxBytes: number,
): (group: Group, signal?: AbortSignal) => Promise<ByteRows> {
  const kept = new Map<Group, { rows: Promise<ByteRows>; bytes: number }>();
  const decode = async (group: Group, signal?: AbortSignal): Promise<ByteRows> => {
    const { file, imageColumn, rowInFile, length } = group;
    const rows = await decoder.byteRows(file, imageColumn, rowInFile, rowInFile + length, signal);
    const entry = kept.get(group);
    if (entry) entry.bytes = rows.bytes.length;
    let total = [...kept.values()].reduce((sum, each) => sum + each.bytes, 0);
    for (const [oldest, { bytes }] of kept) {
      if (total <= maxBytes || oldest === group) break;
      kept.delete(oldest);
      total -= bytes;
    }
    return rows;
  };
  return async (group, signal) => {
    const entry = kept.get(group) ?? { rows: decode(group, signal), bytes: 0 };
    kept.delete(group);
    kept.set(group, entry);
    try {
      return await entry.rows;
    } catch (error) {
      // A damaged row group stays damaged; anything else may pass.
      if (!(error instanceof DataError) || error.code !== 'damaged-file') kept.delete(group);
      else throw new DataError('unreadable-image', `its row group is damaged: ${error.message}`, { cause: error });
      throw error;
    }
  };
}
