/** A tensor as rows of its last axis: how many of what length, and functions of one row in f64 for references. */
import { isFloat } from '../../base/dtype';
import { opError } from '../../base/errors';
import { type Shape, showShape, sizeOf } from '../../base/shape';
import type { Spec } from '../../graph/op';

/** [rows, columns] of a tensor whose last axis is the row. */
export function rowsOf({ shape }: { readonly shape: Shape }): { rows: number; columns: number } {
  const columns = shape.at(-1) ?? 1;
  return { rows: columns === 0 ? 0 : sizeOf(shape) / columns, columns };
}

/** Refuses what has no rows of floats. */
export function checkRows(op: string, { shape, dtype }: Spec): void {
  if (!isFloat(dtype)) opError('dtype', op, `needs floats, got ${dtype}`);
  if (!shape.at(-1)) opError('shape', op, `needs a last axis with elements, got ${showShape(shape)}`);
}

/** Applies a function of one row, in f64. */
export function mapRows(
  data: Float64Array,
  columns: number,
  row: (x: Float64Array, index: number) => ArrayLike<number>,
): Float64Array {
  const out = new Float64Array(data.length);
  for (let i = 0; i * columns < data.length; i++)
    out.set(row(data.subarray(i * columns, (i + 1) * columns), i), i * columns);
  return out;
}

/** Euclidean length of a row. */
export const length64 = (row: Float64Array): number => Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
