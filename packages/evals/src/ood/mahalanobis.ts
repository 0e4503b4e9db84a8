/**
 * Confidence by Mahalanobis distance to the nearest class. Each class is a Gaussian with its own mean and one
 * covariance shared by all (the scatter around the class means), and confidence is minus the squared distance to the
 * nearest class. The relative form subtracts the distance to one Gaussian over all train features, which cancels what
 * no class explains.
 *
 *   S = (X^T X - sum_c n_c m_c m_c^T) / n,   confidence = -min_c (x - m_c)^T S^+ (x - m_c)   [+ (x - m)^T S0^+ (x - m)]
 *
 * `S^+ = V V^T` is the pseudo-inverse, so that directions without spread (fewer items than dimensions) do not count;
 * distances are taken after whitening by `V`. Sources: Lee et al. 2018; Ren et al. 2021 (relative).
 */
import type { EvalBackend } from '../backend/eval-backend';
import type { LabelledFeatures } from '../features';
import { checkLabels, classTokens } from '../features';
import type { Matrix } from '../matrix';
import { symmetricEigen } from '../numerics/symmetric-eigen';
import { covarianceOf, meanOf, momentsOf } from '../statistics/moments';

export interface MahalanobisModel {
  readonly mean: Float64Array;
  /** Whitening directions as rows, `[rank, D]`. */
  readonly within: Matrix;
  readonly total: Matrix;
  /** Class means after whitening, `[classes, rank]`. */
  readonly centroids: Matrix;
}

export async function fitMahalanobis(backend: EvalBackend, train: LabelledFeatures): Promise<MahalanobisModel> {
  const x = classTokens(train);
  const gram = await momentsOf(backend, x);
  const mean = meanOf(gram);
  const total = covarianceOf(gram);
  const { means, counts } = classMeans(x, train.labels, checkLabels(train.labels, x.rows));
  const within = total.slice();
  const used = [...counts.keys()].filter((c) => counts[c]! > 0);
  for (const c of used) {
    const offset = mean.map((center, d) => means[c * x.cols + d]! - center);
    for (let i = 0; i < within.length; i++) {
      within[i]! -= (counts[c]! / x.rows) * offset[Math.floor(i / x.cols)]! * offset[i % x.cols]!;
    }
  }
  const withinWhitening = whitening(within, x.cols);
  const centred = Float32Array.from(
    used.flatMap((c) => Array.from(mean, (center, d) => means[c * x.cols + d]! - center)),
  );
  const data = await backend.products({ data: centred, rows: used.length, cols: x.cols }, withinWhitening);
  const centroids = { data, rows: used.length, cols: withinWhitening.rows };
  return { mean, within: withinWhitening, total: whitening(total, x.cols), centroids };
}

/** Confidence of each row: minus the squared distance to the nearest class, relative to the background where asked. */
export async function mahalanobisConfidence(
  backend: EvalBackend,
  model: MahalanobisModel,
  x: Matrix,
  relative: boolean,
): Promise<Float64Array> {
  const centred = { ...x, data: x.data.map((value, i) => value - model.mean[i % x.cols]!) };
  const nearest = await squaredDistances(backend, centred, model.within, model.centroids);
  if (!relative) return nearest.map((distance) => -distance);
  const origin = { data: new Float32Array(model.total.rows), rows: 1, cols: model.total.rows };
  const background = await squaredDistances(backend, centred, model.total, origin);
  return nearest.map((distance, i) => background[i]! - distance);
}

async function squaredDistances(
  backend: EvalBackend,
  x: Matrix,
  basis: Matrix,
  centroids: Matrix,
): Promise<Float64Array> {
  const whitened = { data: await backend.products(x, basis), rows: x.rows, cols: basis.rows };
  using session = backend.openKMeans(whitened);
  return (await session.assign(centroids)).distances;
}

function classMeans(x: Matrix, labels: Int32Array, classes: number) {
  const means = new Float64Array(classes * x.cols);
  const counts = new Float64Array(classes);
  for (let i = 0; i < x.data.length; i++) means[labels[Math.floor(i / x.cols)]! * x.cols + (i % x.cols)]! += x.data[i]!;
  for (const label of labels) counts[label]! += 1;
  return { means: means.map((value, i) => value / Math.max(1, counts[Math.floor(i / x.cols)]!)), counts };
}

/** Rows `v / sqrt(lambda)` for the eigenvalues above rounding. */
function whitening(covariance: Float64Array, cols: number): Matrix {
  const { values, vectors } = symmetricEigen(covariance, cols);
  const rank = Math.max(1, values.filter((value) => value > 1e-10 * values[0]!).length);
  const data = Float32Array.from({ length: rank * cols }, (_, i) => {
    const value = values[Math.floor(i / cols)]!;
    return value > 0 ? vectors[i]! / Math.sqrt(value) : 0;
  });
  return { data, rows: rank, cols };
}
