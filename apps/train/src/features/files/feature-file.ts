/**
 * Features of images in a file from anywhere, checked: rows of CLS tokens, mean patch tokens and patch tokens, with names and labels of the images where the file has
 * them, and what it says of where they come from. What a file does not say is not guessed.
 */
import { TrainError } from '../../errors';
import type { FileOutput, RawFeatures } from './raw-features';
import { classesOf, factsOf, type LabelledRows, type SaidOfFeatures } from './said-of-features';

/** Rows and columns of patches. */
export type Grid = readonly [rows: number, columns: number];

/** An open file of features; of it only names and labels are in memory. */
export interface FeatureFile extends AsyncDisposable {
  readonly path: string;
  /** SHA-256 of all that it is made of. */
  readonly hash: string;
  readonly rows: number;
  readonly dim: number;
  readonly has: ReadonlySet<FileOutput>;
  /** Rows and columns of patches, where all images have as many. */
  readonly grid: Grid | undefined;
  /** Those of one image, where the file has patches. */
  gridOf(row: number): Grid | undefined;
  /** By row; undefined where the file names no image. */
  readonly names: readonly string[] | undefined;
  /** Undefined where no row has a label. */
  readonly labelled: LabelledRows | undefined;
  readonly said: SaidOfFeatures;
  /** Values of rows begin to end. @throws TrainError `data` for what is no finite number */
  read(output: FileOutput, begin: number, end: number): Promise<Float32Array>;
}

/** What a row is called where its file names none. */
export const rowName = ({ path }: Pick<FeatureFile, 'path'>, row: number): string => `row ${row} of ${path}`;

/** @throws TrainError `data` where arrays do not belong together */
export function featureFile(raw: RawFeatures): FeatureFile {
  const { path, hash, arrays, close } = raw;
  const no = (what: string): TrainError => new TrainError('data', `${path} ${what}`);
  const [first] = arrays;
  if (!first) throw no(`holds no features; ${raw.expected}`);
  const shapes = new Map([...arrays].map(([output, { shape }]) => [output, splitShape(output, shape, no)]));
  const { rows, dim } = shapes.get(first[0])!;
  for (const [output, own] of shapes) {
    if (own.rows !== rows)
      throw no(`has ${rows} rows of ${first[0]} and ${own.rows} of ${output}; they belong to other images`);
    if (own.dim !== dim)
      throw no(`has ${dim} numbers a row of ${first[0]} and ${own.dim} of ${output}; they are of other models`);
  }
  if (shapes.get('patches')?.grid?.includes(0) || rows === 0 || dim === 0) throw no('holds features of no image');
  checkNames(raw.names, rows, no);
  const read = async (output: FileOutput, begin: number, end: number): Promise<Float32Array> => {
    const values = await arrays.get(output)!.read(begin, end);
    const odd = values.findIndex((value) => !Number.isFinite(value));
    if (odd < 0) return values;
    const row = begin + Math.floor((odd * (end - begin)) / values.length);
    throw no(
      `: ${output} of ${raw.names?.[row] ?? `row ${row}`} has ${values[odd]}, which is no finite number; write it again`,
    );
  };
  const grid = shapes.get('patches')?.grid;
  return {
    ...{ path, hash, rows, dim, read, grid },
    has: new Set(arrays.keys()),
    gridOf: () => grid,
    names: raw.names,
    labelled: classesOf(raw, rows),
    said: factsOf(raw),
    [Symbol.asyncDispose]: close,
  };
}

interface SplitShape {
  readonly rows: number;
  readonly dim: number;
  readonly grid?: Grid;
}

function splitShape(output: FileOutput, shape: readonly number[], no: (what: string) => TrainError): SplitShape {
  const [rows = 0, ...rest] = shape;
  const dim = rest.at(-1) ?? 0;
  if (output !== 'patches') {
    if (shape.length === 2) return { rows, dim };
    throw no(`has ${output} of the shape [${shape}]; it should be [images, numbers]`);
  }
  const side = Math.round(Math.sqrt(rest[0] ?? 0));
  if (shape.length === 4) return { rows, dim, grid: [rest[0]!, rest[1]!] };
  if (shape.length === 3 && side * side === rest[0]) return { rows, dim, grid: [side, side] };
  throw no(
    `has patches of the shape [${shape}]; they should be [images, rows, columns, numbers] or [images, patches, numbers] of a square, without CLS and registers`,
  );
}

function checkNames(names: readonly string[] | undefined, rows: number, no: (what: string) => TrainError): void {
  if (names === undefined) return;
  if (names.length !== rows) throw no(`has ${rows} rows and ${names.length} names of images`);
  const seen = new Map<string, number>();
  for (const [row, name] of names.entries()) {
    const before = seen.get(name);
    if (before !== undefined) throw no(`names ${name} twice, in rows ${before} and ${row}; each image has one row`);
    seen.set(name, row);
  }
}
