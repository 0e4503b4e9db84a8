/** Rows of numbers `[rows, cols]`, the form in which features reach every operation: views, copies, unit length. */
import { valueProblem } from '@franca/tensor';
import { EvalsError } from './errors';

/** Row-major `[rows, cols]`: one row per image, patch, centroid or class. A view; nothing is copied. */
export interface Matrix {
  readonly data: Float32Array;
  readonly rows: number;
  readonly cols: number;
}

/**
 * Views `data` as a matrix of `cols` columns.
 *
 * @throws EvalsError `features` when the length is no multiple of `cols`, or a value is NaN or infinite.
 */
export function matrix(data: Float32Array, cols: number): Matrix {
  const problem = valueProblem('data', data, 'Float32Array');
  if (problem) throw new EvalsError('features', `matrix: ${problem}`);
  if (!Number.isInteger(cols) || cols < 1 || data.length % cols !== 0) {
    throw new EvalsError(
      'features',
      `${data.length} values are not whole rows of ${cols} columns; pass the feature dimension and a [n, dim] array`,
    );
  }
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new EvalsError(
      'features',
      `row ${Math.floor(bad / cols)} holds ${data[bad]} in column ${bad % cols}; features must be finite numbers`,
    );
  }
  return { data, rows: data.length / cols, cols };
}

/** Elements that an array has at most, on the oldest Node that is supported. */
export const LONGEST_ARRAY: number = 2 ** 32 - 1;

/**
 * A new array of `rows * cols` zeros; `what` it is for stands in the message.
 *
 * @throws EvalsError `features` where that is more than one array can hold, or than there is memory for
 */
export function roomFor(what: string, rows: number, cols: number): Float32Array {
  try {
    return new Float32Array(rows * cols);
  } catch (cause) {
    throw new EvalsError(
      'features',
      `${what}: ${rows} rows of ${cols} numbers do not fit in one array (${String(cause)}); pass them in batches, or fewer of them`,
      { cause },
    );
  }
}

/** @throws EvalsError `features` when rows of `a` and `b` have no inner products. */
export function checkWidths(a: Matrix, b: Matrix): void {
  if (a.cols === b.cols) return;
  throw new EvalsError('features', `products of rows need equal widths, got ${a.cols} and ${b.cols}`);
}

/** Rows `begin` (included) to `end` (excluded), as a view. */
export function rowRange(source: Matrix, begin: number, end: number): Matrix {
  return { data: source.data.subarray(begin * source.cols, end * source.cols), rows: end - begin, cols: source.cols };
}

/** The rows with the given numbers, copied in that order. */
export function takeRows(source: Matrix, rows: ArrayLike<number>): Matrix {
  const data = roomFor('chosen rows', rows.length, source.cols);
  for (let i = 0; i < rows.length; i++) {
    const from = rows[i]! * source.cols;
    data.set(source.data.subarray(from, from + source.cols), i * source.cols);
  }
  return { data, rows: rows.length, cols: source.cols };
}

/** Columns `begin` (included) to `end` (excluded), copied. */
export function takeColumns(source: Matrix, begin: number, end: number): Matrix {
  const cols = end - begin;
  const data = roomFor('chosen columns', source.rows, cols);
  for (let i = 0; i < source.rows; i++) {
    data.set(source.data.subarray(i * source.cols + begin, i * source.cols + end), i * cols);
  }
  return { data, rows: source.rows, cols };
}

/** All rows of matrices of one width, one after another; a single one as it is. */
export function joinRows(parts: readonly Matrix[]): Matrix {
  const [first] = parts;
  if (parts.length === 1) return first!;
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const data = roomFor('joined rows', rows, first!.cols);
  let at = 0;
  for (const part of parts) {
    checkWidths(first!, part);
    data.set(part.data, at);
    at += part.data.length;
  }
  return { data, rows, cols: first!.cols };
}

/** Copy with every row divided by `max(L2 norm, 1e-12)`, so that inner products are cosines. A zero row stays zero. */
export function normaliseRows(source: Matrix): Matrix {
  const { rows, cols } = source;
  const data = roomFor('rows of unit length', rows, cols);
  for (let i = 0; i < rows; i++) {
    let squares = 0;
    for (let d = i * cols; d < (i + 1) * cols; d++) squares += source.data[d]! ** 2;
    const scale = 1 / Math.max(Math.sqrt(squares), 1e-12);
    for (let d = i * cols; d < (i + 1) * cols; d++) data[d] = source.data[d]! * scale;
  }
  return { data, rows, cols };
}
