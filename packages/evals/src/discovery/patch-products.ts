/**
 * Inner products of every two patches of a picture, in f64: half of them, as the other half is the same. They are what discovery costs,
 * N^2 D / 2 multiplications; four rows meet four rows at a time, so that a number that is loaded is used four times.
 */
import { EvalsError } from '../errors';
import type { PatchFeatures } from '../features';

export interface PatchProducts {
  readonly size: number;
  /** Products of row i with rows 0 .. i at `i (i + 1) / 2`. */
  readonly lower: Float64Array;
}

/** A gigabyte of products. */
const MAX_PATCHES = 16_384;

/** @throws EvalsError `features` for more patches than their products have room in memory */
export function patchProducts({ dim, patches }: PatchFeatures): PatchProducts {
  const size = patches.length / dim;
  if (size > MAX_PATCHES)
    throw new EvalsError(
      'features',
      `${size} patches are too many for discovery; give a picture of at most ${MAX_PATCHES}`,
    );
  const tokens = Float64Array.from(patches);
  const lower = new Float64Array((size * (size + 1)) / 2);
  const sums = new Float64Array(16);
  for (let i = 0; i < size; i += 4)
    for (let j = 0; j <= i; j += 4) {
      if (i + 4 <= size && j + 4 <= size) multiplyTile(tokens, dim, i, j, sums);
      else multiplyEdge(tokens, dim, { i, j, size }, sums);
      for (let a = 0; a < 4 && i + a < size; a++)
        for (let b = 0; b < 4 && j + b <= i + a; b++) lower[((i + a) * (i + a + 1)) / 2 + j + b] = sums[4 * a + b]!;
    }
  return { size, lower };
}

/** The product of two patches. */
export const productOf = ({ lower }: PatchProducts, i: number, j: number): number =>
  i < j ? lower[(j * (j + 1)) / 2 + i]! : lower[(i * (i + 1)) / 2 + j]!;

/** Products of rows i .. i + 3 with rows j .. j + 3. */
function multiplyTile(x: Float64Array, dim: number, i: number, j: number, out: Float64Array): void {
  let [s00, s01, s02, s03, s10, s11, s12, s13] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [s20, s21, s22, s23, s30, s31, s32, s33] = [0, 0, 0, 0, 0, 0, 0, 0];
  const [a0, b0] = [i * dim, j * dim];
  const [a1, a2, a3] = [a0 + dim, a0 + 2 * dim, a0 + 3 * dim];
  const [b1, b2, b3] = [b0 + dim, b0 + 2 * dim, b0 + 3 * dim];
  for (let d = 0; d < dim; d++) {
    const [p0, p1, p2, p3] = [x[a0 + d]!, x[a1 + d]!, x[a2 + d]!, x[a3 + d]!];
    const [q0, q1, q2, q3] = [x[b0 + d]!, x[b1 + d]!, x[b2 + d]!, x[b3 + d]!];
    s00 += p0 * q0;
    s01 += p0 * q1;
    s02 += p0 * q2;
    s03 += p0 * q3;
    s10 += p1 * q0;
    s11 += p1 * q1;
    s12 += p1 * q2;
    s13 += p1 * q3;
    s20 += p2 * q0;
    s21 += p2 * q1;
    s22 += p2 * q2;
    s23 += p2 * q3;
    s30 += p3 * q0;
    s31 += p3 * q1;
    s32 += p3 * q2;
    s33 += p3 * q3;
  }
  out.set([s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33]);
}

/** The same where rows end, one by one. */
function multiplyEdge(
  x: Float64Array,
  dim: number,
  { i, j, size }: { readonly i: number; readonly j: number; readonly size: number },
  out: Float64Array,
): void {
  for (let a = 0; a < 4 && i + a < size; a++)
    for (let b = 0; b < 4 && j + b < size; b++) {
      let sum = 0;
      for (let d = 0; d < dim; d++) sum += x[(i + a) * dim + d]! * x[(j + b) * dim + d]!;
      out[4 * a + b] = sum;
    }
}
