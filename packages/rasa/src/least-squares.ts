/**
 * How well position can be read from features, in closed form: R^2 of the least-squares map with a bias, the mean of both coordinates,
 *
 *   R^2 = c^T S^-1 c / Var(y),   S = Cov(x, x),   c = Cov(x, y)
 *
 * on the images that it is fitted on. D free numbers fit something even where there is nothing. How much is told by two halves of the images with
 * c = (a + b) / 2: what the features say of position is in both, what they say by chance differs,
 *
 *   chance = c^T S^-1 c - a^T S^-1 b = ((a - b) / 2)^T S^-1 (a - b) / 2    each / Var(y)
 *
 * which counts images, not patches: neighbouring patches of one image resemble each other, and are less than so many independent samples.
 */
import type { Moments } from './moments';
import { constantError } from './position-head';
import type { PositionReading } from './result';

/** Added to the diagonal of the correlations of features: enough for directions in which they do not vary at all. */
const RIDGE = 1e-6;

/** Position read from features with these moments. */
export function leastSquares({ dim: D, grid, images, covariance, cross }: Moments): PositionReading {
  const scale = deviations(covariance, D);
  const factor = cholesky(covariance, scale, D);
  const [a, b] = [0, 1].map((half) => whitened(cross[half]!, factor, scale, D)) as [Float64Array, Float64Array];
  const even = Math.ceil(images / 2) / images;
  const all = a.map((value, i) => even * value + (1 - even) * b[i]!);
  const variance = 2 * constantError(grid);
  const r2 = dot(all, all) / variance;
  return { r2, chance: Math.max(0, r2 - dot(a, b) / variance) };
}

/** Standard deviation of each dimension; 1 where there is none. */
const deviations = (covariance: Float64Array, D: number): Float64Array =>
  Float64Array.from({ length: D }, (_, i) => Math.sqrt(Math.max(covariance[i * D + i]!, 0)) || 1);

/** Lower triangle F of the correlations with their ridge, F F^T, [D, D]. */
function cholesky(covariance: Float64Array, scale: Float64Array, D: number): Float64Array {
  const F = new Float64Array(D * D);
  for (let i = 0; i < D; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = covariance[i * D + j]! / (scale[i]! * scale[j]!) + (i === j ? RIDGE : 0);
      for (let k = 0; k < j; k++) sum -= F[i * D + k]! * F[j * D + k]!;
      // rounding must not leave less than the ridge
      F[i * D + j] = i === j ? Math.sqrt(Math.max(sum, RIDGE)) : sum / F[j * D + j]!;
    }
  }
  return F;
}

/** F^-1 of both rows of a covariance with position, [2, D]. */
function whitened(cross: Float64Array, factor: Float64Array, scale: Float64Array, D: number): Float64Array {
  const out = new Float64Array(2 * D);
  for (const row of [out.subarray(0, D), out.subarray(D)]) {
    const from = row.byteOffset / row.BYTES_PER_ELEMENT;
    for (let i = 0; i < D; i++) {
      let sum = cross[from + i]! / scale[i]!;
      for (let j = 0; j < i; j++) sum -= factor[i * D + j]! * row[j]!;
      row[i] = sum / factor[i * D + i]!;
    }
  }
  return out;
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
