/**
 * Principal components of streamed rows, from their moments: divisor n. They are the eigenvectors of the population
 * covariance with the largest eigenvalues. With `standardise` every column is first divided by its population standard
 * deviation (z-score), which makes it the correlation matrix; constant columns then become 0. No whitening.
 */
import type { OptionKinds } from '@franca/tensor';
import type { EvalBackend, Gram } from '../backend/eval-backend';
import { checkSet, ROWS } from '../check-features';
import { checkBackend, checkOption, checkOptions } from '../errors';
import { checkWidths, type Matrix } from '../matrix';
import { symmetricEigen } from '../numerics/symmetric-eigen';
import { covarianceOf, meanOf } from './moments';

/** A fitted PCA. */
export interface Pca {
  readonly mean: Float64Array;
  /** Factor of each column after centring: 1, or one over its standard deviation. */
  readonly scale: Float64Array;
  /** Orthonormal directions `[components, D]`, by descending variance. */
  readonly directions: Matrix;
  /** Population variance along each direction (divisor n). */
  readonly variances: Float64Array;
}

export interface PcaOptions {
  readonly standardise?: boolean;
}

const OPTIONS: OptionKinds<PcaOptions> = { standardise: 'boolean' };
const GRAM = { rows: 'number', cols: 'number', sum: true, products: true } as const;

/** @throws EvalsError `bad-option` when there are not so many components, `bad-features` for what are no moments */
export function fitPca(gram: Gram, components: number, options: PcaOptions = {}): Pca {
  checkSet('fitPca: moments', gram, GRAM);
  checkOptions('fitPca', options, OPTIONS);
  const { standardise = false } = options;
  const { cols } = gram;
  checkOption(
    Number.isInteger(components) && components >= 1 && components <= cols,
    `cannot take ${components} principal components of ${cols} columns`,
  );
  const mean = meanOf(gram);
  const covariance = covarianceOf(gram);
  const scale = mean.map((center, d) => {
    const variance = covariance[d * cols + d]!;
    // A column whose spread is within rounding of its size is constant.
    const constant = variance <= 1e-12 * (variance + center * center);
    return standardise ? (constant ? 0 : 1 / Math.sqrt(variance)) : 1;
  });
  const scaled = covariance.map((value, i) => value * scale[Math.floor(i / cols)]! * scale[i % cols]!);
  const { values, vectors } = symmetricEigen(scaled, cols);
  const data = Float32Array.from(vectors.subarray(0, components * cols));
  return { mean, scale, directions: { data, rows: components, cols }, variances: values.slice(0, components) };
}

/** Coordinates of rows along the directions, `[rows, components]`. */
export async function projectPca(backend: EvalBackend, pca: Pca, x: Matrix): Promise<Matrix> {
  checkBackend('projectPca', backend);
  checkSet('projectPca: pca', pca, { directions: 'object' });
  checkSet('projectPca: x', x, ROWS);
  const { mean, scale, directions } = pca;
  checkWidths(x, directions);
  const centred = x.data.map((value, i) => (value - mean[i % x.cols]!) * scale[i % x.cols]!);
  const data = await backend.products({ ...x, data: centred }, directions);
  return { data, rows: x.rows, cols: directions.rows };
}
