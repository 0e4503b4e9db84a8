/**
 * The curvature that all classes of a softmax regression share, and axes in which it is diagonal: what a quasi-Newton solver starts from.
 *
 * Where all C classes are equally likely, the Hessian of the cross-entropy is, for each class, `X^T X / C` (but for a direction that moves all classes alike and
 * changes nothing); the penalty adds `1 / c` to the weights. Features that are correlated, or of different scale, stretch it by many orders of magnitude; in
 * coordinates where it is round a solver needs tens of steps in place of thousands. With features `x - m` around their mean, weights `W` and biases `b' = b + W m` come
 * apart, so that the penalty, which spares the bias, is exactly in it: `S / C + 1 / c` for weights, with the scatter `S = sum (x - m)(x - m)^T`, and `n / C` for `b'`.
 * Turned to the eigenvectors `V` of `S`, features are `(x - m) V^T` and weights `W V^T`; the penalty is the same there, and the curvature a diagonal. So features
 * are turned once, and each step costs nothing besides.
 *
 * Source: Boehning, Multinomial logistic regression algorithm (1992), bounds the Hessian by such a matrix.
 */
import type { EvalBackend } from '../backend/eval-backend';
import { packColumns, packedProducts, packRows } from '../backend/packed';
import { checkSet, ROWS } from '../check-features';
import { checkArgument, checkOption } from '../errors';
import { checkWidths, type Matrix } from '../matrix';
import { symmetricEigen } from '../numerics/symmetric-eigen';
import { covarianceOf, meanOf, momentsOf } from '../statistics/moments';

/** Mean of the features, and the eigenvalues and eigenvectors (rows) of their scatter. */
export interface Curvature {
  readonly rows: number;
  readonly mean: Float64Array;
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/** Rows of features in the axes of a curvature, in f64. */
export interface TurnedRows {
  readonly data: Float64Array;
  readonly rows: number;
  readonly cols: number;
}

export async function sharedCurvature(backend: EvalBackend, x: Matrix): Promise<Curvature> {
  const moments = await momentsOf(backend, x);
  const { rows, cols } = moments;
  const scatter = covarianceOf(moments).map((value) => value * rows);
  return { rows, mean: meanOf(moments), ...symmetricEigen(scatter, cols) };
}

const ROW_BLOCK = 256;

/** `(x - m) V^T`. @throws EvalsError `features` where the widths differ */
export function turnRows(curvature: Curvature, x: Matrix): TurnedRows {
  checkCurvature('turnRows', curvature);
  checkSet('turnRows: x', x, ROWS);
  const { mean, vectors } = curvature;
  const { rows, cols } = x;
  checkWidths(x, { ...x, cols: mean.length });
  const axes = packRows(vectors, cols);
  const data = new Float64Array(rows * cols);
  for (let begin = 0; begin < rows; begin += ROW_BLOCK) {
    const own = x.data.subarray(begin * cols, Math.min(begin + ROW_BLOCK, rows) * cols);
    const centred = Float64Array.from(own, (value, i) => value - mean[i % cols]!);
    packedProducts(packRows(centred, cols), axes, data.subarray(begin * cols, begin * cols + own.length));
  }
  return { data, rows, cols };
}

/** Parameters for turned rows, weights `[C, D]` and then biases `[C]`, as those for the rows themselves: `W V` and `b' - W m`. */
export function turnBack(curvature: Curvature, parameters: Float64Array, classes: number): Float64Array {
  checkCurvature('turnBack', curvature);
  checkArgument('turnBack', 'parameters', parameters, 'list');
  const { mean, vectors } = curvature;
  const dim = mean.length;
  checkOption(
    parameters.length === classes * (dim + 1),
    `turnBack: ${parameters.length} parameters for ${classes} classes of ${dim} weights and a bias`,
  );
  const weights = classes * dim;
  const out = parameters.slice();
  packedProducts(packRows(parameters.subarray(0, weights), dim), packColumns(vectors, dim), out.subarray(0, weights));
  for (let i = 0; i < weights; i++) out[weights + Math.floor(i / dim)]! -= out[i]! * mean[i % dim]!;
  return out;
}

function checkCurvature(what: string, curvature: Curvature): void {
  checkArgument(what, 'curvature', curvature, 'object');
  checkArgument(what, 'curvature.mean', curvature.mean, 'list');
  checkArgument(what, 'curvature.vectors', curvature.vectors, 'list');
}

/** Multiplies vectors of parameters for turned rows by the inverse of the curvature at penalty `c`. */
export function inverseCurvature(
  { rows, values }: Pick<Curvature, 'rows' | 'values'>,
  classes: number,
  c: number,
): (vector: Float64Array) => Float64Array {
  const scales = values.map((value) => 1 / (Math.max(0, value) / classes + 1 / c));
  const weights = classes * values.length;
  return (vector) =>
    vector.map((value, i) => (i < weights ? value * scales[i % scales.length]! : (value * classes) / rows));
}
