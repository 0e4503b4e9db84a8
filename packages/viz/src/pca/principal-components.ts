/**
 * Principal components of feature rows in memory: divisor N - 1. They are the orthonormal directions along which
 * centred rows vary most. With X [N, D] centred, the components are eigenvectors of the covariance X^T X / (N - 1) [D,
 * D]; when N < D the smaller Gram matrix X X^T / (N - 1) [N, N] has the same non-zero eigenvalues, and X^T u are the
 * same directions. An eigenvector's sign is arbitrary: here the entry of largest magnitude is positive, so that equal
 * input gives equal output.
 */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { checkCount, checkFinite, checkLength, VizError } from '../errors';

/** Rows of features: `data` is [rows, dim]. */
export interface FeatureRows {
  readonly data: ArrayLike<number>;
  readonly rows: number;
  readonly dim: number;
}

/** Directions in which the rows do not vary at all are zero, with variance 0. */
export interface PrincipalComponents {
  /** Mean of the rows, [dim]. */
  readonly mean: Float64Array;
  /** Orthonormal directions, [count, dim], by falling variance. */
  readonly directions: Float64Array;
  /** Sample variance along each direction (divisor rows - 1), [count]. */
  readonly variances: Float64Array;
  /** Sum of the variances of all dim directions, those left out included. */
  readonly totalVariance: number;
  readonly dim: number;
}

/** Eigenvalues below this share of the largest are rounding noise of f64, not directions. */
const RANK_TOLERANCE = 1e-12;
/** So are variances below this share of the rows' mean square: equal rows differ by the rounding of their mean. */
const NOISE_TOLERANCE = 1e-24;

/**
 * The first `count` principal components of `rows`. Costs min(N, D)^3 for the eigenvectors. Throws `shape` on a
 * length that does not fit, `not-finite` on NaN or infinity, `options` when `count` exceeds `dim`.
 */
export function principalComponents(rows: FeatureRows, count: number): PrincipalComponents {
  checkRows(rows);
  checkFinite('the features', rows.data);
  checkCount('the number of components', count);
  if (count > rows.dim) {
    throw new VizError(
      'options',
      `${count} components of ${rows.dim}-dimensional features were asked for; at most ${rows.dim} exist`,
    );
  }
  const mean = columnMeans(rows);
  const centred = Array.from(rows.data, (value, i) => value - mean[i % rows.dim]!);
  const x = Matrix.from1DArray(rows.rows, rows.dim, centred);
  const transposed = x.transpose();
  const isWide = rows.rows < rows.dim;
  const scatter = (isWide ? x.mmul(transposed) : transposed.mmul(x)).div(Math.max(1, rows.rows - 1));
  const { realEigenvalues: values, eigenvectorMatrix } = new EigenvalueDecomposition(scatter, {
    assumeSymmetric: true,
  });
  const order = values.map((_, i) => i).sort((a, b) => values[b]! - values[a]!);
  const largest = values[order[0]!]!;
  const floor = Math.max(RANK_TOLERANCE * largest, NOISE_TOLERANCE * (dot(mean, mean) + scatter.trace()));
  const directions = new Float64Array(count * rows.dim);
  const variances = new Float64Array(count);
  order.slice(0, count).forEach((from, k) => {
    if (values[from]! <= floor) return;
    const vector = eigenvectorMatrix.getColumnVector(from);
    directions.set(unitWithFixedSign((isWide ? transposed.mmul(vector) : vector).to1DArray()), k * rows.dim);
    variances[k] = values[from]!;
  });
  return { mean, directions, variances, totalVariance: largest > floor ? scatter.trace() : 0, dim: rows.dim };
}

/** Scores of `rows` along the components, [rows, count]; throws `shape` when the dimensions differ. */
export function componentScores(components: PrincipalComponents, rows: FeatureRows): Float64Array {
  const { mean, directions, variances, dim } = components;
  checkRows(rows);
  if (rows.dim !== dim) {
    throw new VizError('shape', `the features have ${rows.dim} dimensions, but the PCA was fitted on ${dim}`);
  }
  const count = variances.length;
  const scores = new Float64Array(rows.rows * count);
  for (let n = 0; n < rows.rows; n++) {
    for (let k = 0; k < count; k++) {
      let sum = 0;
      for (let d = 0; d < dim; d++) sum += (rows.data[n * dim + d]! - mean[d]!) * directions[k * dim + d]!;
      scores[n * count + k] = sum;
    }
  }
  return scores;
}

function checkRows({ data, rows, dim }: FeatureRows): void {
  checkLength('the features', data, [rows, dim]);
}

function columnMeans({ data, rows, dim }: FeatureRows): Float64Array {
  const mean = new Float64Array(dim);
  for (let i = 0; i < data.length; i++) mean[i % dim]! += data[i]!;
  return mean.map((sum) => sum / rows);
}

function unitWithFixedSign(direction: readonly number[]): number[] {
  const largest = direction.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
  const scale = (largest < 0 ? -1 : 1) / Math.sqrt(dot(direction, direction));
  return direction.map((value) => value * scale);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
