/**
 * A uniformly random subspace, as orthonormal rows `[count, cols]`. They are Gaussian rows, each freed of its
 * components along the rows before it (twice, against rounding) and normalised.
 */
import type { Matrix } from '../matrix';
import { random } from './random';

export function randomSubspace(count: number, cols: number, seed: number): Matrix {
  const { normal } = random(seed);
  const data = new Float64Array(count * cols);
  for (let i = 0; i < count; i++) {
    const row = data.subarray(i * cols, (i + 1) * cols);
    for (let d = 0; d < cols; d++) row[d] = normal();
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const other = data.subarray(j * cols, (j + 1) * cols);
        const along = dot(row, other);
        for (let d = 0; d < cols; d++) row[d]! -= along * other[d]!;
      }
    }
    const length = Math.sqrt(dot(row, row));
    for (let d = 0; d < cols; d++) row[d]! /= length;
  }
  return { data: Float32Array.from(data), rows: count, cols };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
}
