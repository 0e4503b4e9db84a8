/**
 * A position table on another grid, larger or smaller, once and for good, as the official converter does it for training: bicubic (a = -0.5), antialiased where the grid
 * becomes smaller, without the offset that inference uses. A position of the class stays as it is.
 */
import { resampleMatrix } from '@franca/tensor';

/** Whether a table of this many positions has one for the class, and the side of its square of patches; undefined where it is no square. */
export function gridOf(positions: number): { readonly side: number; readonly withClass: boolean } | undefined {
  const withClass = Number.isInteger(Math.sqrt(positions - 1));
  const side = Math.sqrt(withClass ? positions - 1 : positions);
  return Number.isInteger(side) && side > 0 ? { side, withClass } : undefined;
}

/** A table [1 + from^2, D], or [from^2, D] without a class, on the grid of `to` x `to`. */
export function resampleTable(table: Float32Array, from: number, to: number, D: number): Float32Array {
  const matrix = resampleMatrix(from, to, 'bicubic-antialias');
  const first = table.length - from * from * D;
  const rows = new Float64Array(to * from * D);
  for (let y = 0; y < to; y++) {
    for (let j = 0; j < from; j++) {
      const weight = matrix[y * from + j]!;
      if (weight === 0) continue;
      for (let i = 0; i < from * D; i++) rows[y * from * D + i]! += weight * table[first + j * from * D + i]!;
    }
  }
  const out = new Float32Array(first + to * to * D);
  out.set(table.subarray(0, first));
  for (let y = 0; y < to; y++) {
    for (let x = 0; x < to; x++) {
      for (let d = 0; d < D; d++) {
        let sum = 0;
        for (let j = 0; j < from; j++) sum += matrix[x * from + j]! * rows[(y * from + j) * D + d]!;
        out[first + (y * to + x) * D + d] = sum;
      }
    }
  }
  return out;
}
