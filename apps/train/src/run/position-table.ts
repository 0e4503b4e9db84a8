/**
 * A position table on another grid, larger or smaller, once and for good, as the official converter does it for training: bicubic (a = -0.5), antialiased where the grid
 * becomes smaller, without the offset that inference uses. The position of the class stays as it is.
 */
import { resampleMatrix } from '@franca/tensor';

/** A table [1 + from^2, D], the class first, on the grid of `to` x `to`. */
export function resampleTable(table: Float32Array, from: number, to: number, D: number): Float32Array {
  const matrix = resampleMatrix(from, to, 'bicubic-antialias');
  const rows = new Float64Array(to * from * D);
  for (let y = 0; y < to; y++) {
    for (let j = 0; j < from; j++) {
      const weight = matrix[y * from + j]!;
      if (weight === 0) continue;
      for (let i = 0; i < from * D; i++) rows[y * from * D + i]! += weight * table[D + j * from * D + i]!;
    }
  }
  const out = new Float32Array((1 + to * to) * D);
  out.set(table.subarray(0, D));
  for (let y = 0; y < to; y++) {
    for (let x = 0; x < to; x++) {
      for (let d = 0; d < D; d++) {
        let sum = 0;
        for (let j = 0; j < from; j++) sum += matrix[x * from + j]! * rows[(y * from + j) * D + d]!;
        out[(1 + y * to + x) * D + d] = sum;
      }
    }
  }
  return out;
}
