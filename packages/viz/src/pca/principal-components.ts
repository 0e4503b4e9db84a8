/**
 * Principal component analysis: the orthonormal directions along which centred rows vary most. With X [N, D] centred,
 * the components are eigenvectors of the covariance X^T X / (N - 1) [D, D]; when N < D the smaller Gram matrix
 * X X^T / (N - 1) [N, N] has the same non-zero eigenvalues, and X^T u are the same directions. An eigenvector's sign
 * is arbitrary: here the entry of largest magnitude is positive, so that equal input gives equal output.
 */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { checkCount, checkFinite, checkLength, VizError } from '../errors';

/** Rows of features: `data` is [rows, dim]. */
export interface FeatureRows {
  readonly data: ArrayLike<number>;
  readonly rows: number;
  readonly dim: number;
}

/** A fitted PCA. Directions in which the rows do not vary at all are zero, with variance 0. */
export interface Pca {
  /** Mean of the rows, [dim]. */
  readonly mean: Float64Array;
  /** Orthonormal directions, [count, dim], by falling variance. */
  readonly components: Float64Array;
  /** Variance along each direction (divided by rows - 1), [count]. */
  readonly variances: Float64Array;
  /** Sum of the variances of all dim directions, those left out included. */
  readonly totalVariance: number;
  readonly dim: number;
}

/** Eigenvalues below this share of the largest are rounding noise of f64, not directions. */
const rankTolerance = 1e-12;
/** So are variances below this share of the rows' mean square: equal rows differ by the rounding of their mean. */
const noiseTolerance = 1e-24;

/**
 * The first `count` principal components of `rows`. Costs min(N, D)^3 for the eigenvectors. Throws `bad-shape` on a
 * length that does not fit, `not-finite` on NaN or infinity, `bad-option` when `count` exceeds `dim`.
 */
export function fitPca(rows: FeatureRows, count: number): Pca {
  checkLength('The features', rows.data, [rows.rows, rows.dim]);
  checkFinite('The features', rows.data);
  checkCount('The number of components', count);
  if (count > rows.dim) {
    throw new VizError(
      'bad-option',
      `Asked for ${count} components of ${rows.dim}-dimensional features: at most ${rows.dim} exist.`,
    );
  }
  const mean = columnMeans(rows);
  const centred = Float64Array.from(rows.data, (value, i) => value - mean[i % rows.dim]!);
  const scatter = rows.rows < rows.dim ? gram(centred, rows) : covariance(centred, rows);
  const { values, vectors } = leadingEigenvectors(scatter, Math.min(count, scatter.rows));
  const floor = Math.max(rankTolerance * values[0]!, noiseTolerance * (dot(mean, mean) + scatter.trace()));
  const components = new Float64Array(count * rows.dim);
  const variances = new Float64Array(count);
  values.forEach((value, k) => {
    if (value <= floor) return;
    const direction = rows.rows < rows.dim ? combineRows(centred, rows, vectors[k]!) : vectors[k]!;
    components.set(unitWithFixedSign(direction), k * rows.dim);
    variances[k] = value;
  });
  return { mean, components, variances, totalVariance: values[0]! > floor ? scatter.trace() : 0, dim: rows.dim };
}

/** Scores of `rows` along the components, [rows, count]; throws `bad-shape` when the dimensions differ. */
export function projectPca(pca: Pca, rows: FeatureRows): Float64Array {
  checkLength('The features', rows.data, [rows.rows, rows.dim]);
  if (rows.dim !== pca.dim) {
    throw new VizError('bad-shape', `The features have ${rows.dim} dimensions, but the PCA was fitted on ${pca.dim}.`);
  }
  const count = pca.variances.length;
  const scores = new Float64Array(rows.rows * count);
  for (let n = 0; n < rows.rows; n++) {
    for (let k = 0; k < count; k++) {
      let sum = 0;
      for (let d = 0; d < rows.dim; d++) {
        sum += (rows.data[n * rows.dim + d]! - pca.mean[d]!) * pca.components[k * rows.dim + d]!;
      }
      scores[n * count + k] = sum;
    }
  }
  return scores;
}

function columnMeans({ data, rows, dim }: FeatureRows): Float64Array {
  const mean = new Float64Array(dim);
  for (let i = 0; i < data.length; i++) mean[i % dim]! += data[i]!;
  return mean.map((sum) => sum / rows);
}

function covariance(centred: Float64Array, { rows, dim }: FeatureRows): Matrix {
  const out = Matrix.zeros(dim, dim);
  const columns = Array.from({ length: dim }, (_, d) =>
    Float64Array.from({ length: rows }, (_, n) => centred[n * dim + d]!),
  );
  return fillSymmetric(out, columns, rows);
}

function gram(centred: Float64Array, { rows, dim }: FeatureRows): Matrix {
  const out = Matrix.zeros(rows, rows);
  const views = Array.from({ length: rows }, (_, n) => centred.subarray(n * dim, (n + 1) * dim));
  return fillSymmetric(out, views, rows);
}

function fillSymmetric(out: Matrix, vectors: readonly Float64Array[], rows: number): Matrix {
  for (let i = 0; i < vectors.length; i++) {
    for (let j = 0; j <= i; j++) {
      const value = dot(vectors[i]!, vectors[j]!) / Math.max(1, rows - 1);
      out.set(i, j, value);
      out.set(j, i, value);
    }
  }
  return out;
}

function leadingEigenvectors(symmetric: Matrix, count: number): { values: number[]; vectors: Float64Array[] } {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(symmetric, { assumeSymmetric: true });
  const order = realEigenvalues.map((_, i) => i).sort((a, b) => realEigenvalues[b]! - realEigenvalues[a]!);
  const leading = order.slice(0, count);
  return {
    values: leading.map((i) => realEigenvalues[i]!),
    vectors: leading.map((i) => Float64Array.from(eigenvectorMatrix.getColumn(i))),
  };
}

function combineRows(centred: Float64Array, { rows, dim }: FeatureRows, weights: Float64Array): Float64Array {
  const out = new Float64Array(dim);
  for (let n = 0; n < rows; n++) for (let d = 0; d < dim; d++) out[d]! += weights[n]! * centred[n * dim + d]!;
  return out;
}

function unitWithFixedSign(direction: Float64Array): Float64Array {
  let largest = 0;
  direction.forEach((value, d) => {
    if (Math.abs(value) > Math.abs(direction[largest]!)) largest = d;
  });
  const scale = (direction[largest]! < 0 ? -1 : 1) / Math.sqrt(dot(direction, direction));
  return direction.map((value) => value * scale);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
