/**
 * The curvature that all classes of a softmax regression share, and its inverse as the start of a quasi-Newton solver.
 *
 * Where all C classes are equally likely, the Hessian of the cross-entropy is, for each class, `X^T X / C` (but for a direction that moves all classes alike and
 * changes nothing); the penalty adds `1 / c` to the weights. Features that are correlated, or of different scale, stretch it by many orders of magnitude; in
 * coordinates where it is round a solver needs tens of steps in place of thousands. With features `x - m` around their mean, weights `W` and biases `b' = b + W m` come
 * apart, so that the penalty, which spares the bias, is exactly in it: `S / C + 1 / c` for weights, with the scatter `S = sum (x - m)(x - m)^T`, and `n / C` for `b'`.
 *
 * Source: Boehning, Multinomial logistic regression algorithm (1992), bounds the Hessian by such a matrix.
 */
import type { EvalBackend } from '../backend/eval-backend';
import { packColumns, packedProducts, packRows } from '../backend/packed';
import type { Matrix } from '../matrix';
import { symmetricEigen } from '../numerics/symmetric-eigen';
import { covarianceOf, meanOf, momentsOf } from '../statistics/moments';

/** Mean of the features, and the eigenvalues and eigenvectors (rows) of their scatter. */
export interface Curvature {
  readonly rows: number;
  readonly mean: Float64Array;
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

export async function sharedCurvature(backend: EvalBackend, x: Matrix): Promise<Curvature> {
  const moments = await momentsOf(backend, x);
  const { rows, cols } = moments;
  const scatter = covarianceOf(moments).map((value) => value * rows);
  return { rows, mean: meanOf(moments), ...symmetricEigen(scatter, cols) };
}

/** Multiplies vectors of parameters, weights `[C, D]` and then biases `[C]`, by the inverse of the curvature at penalty `c`. */
export function inverseCurvature(
  { rows, mean, values, vectors }: Curvature,
  classes: number,
  c: number,
): (vector: Float64Array) => Float64Array {
  const dim = mean.length;
  const weights = classes * dim;
  const [byRow, byColumn] = [packRows(vectors, dim), packColumns(vectors, dim)];
  return (vector) => {
    const out = vector.slice();
    // to weights and biases around the mean
    for (let i = 0; i < weights; i++) out[i]! -= vector[weights + Math.floor(i / dim)]! * mean[i % dim]!;
    const turned = new Float64Array(weights);
    packedProducts(packRows(out.subarray(0, weights), dim), byRow, turned);
    for (let i = 0; i < weights; i++) turned[i]! /= Math.max(0, values[i % dim]!) / classes + 1 / c;
    packedProducts(packRows(turned, dim), byColumn, out.subarray(0, weights));
    for (let k = 0; k < classes; k++) out[weights + k]! *= classes / rows;
    // and back
    for (let i = 0; i < weights; i++) out[weights + Math.floor(i / dim)]! -= out[i]! * mean[i % dim]!;
    return out;
  };
}
