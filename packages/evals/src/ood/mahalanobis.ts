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
import { LABELLED } from '../check-features';
import { type Batched, batches, checkLabels, classTokens, type LabelledFeatures } from '../features';
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

export async function fitMahalanobis(
  backend: EvalBackend,
  train: Batched<LabelledFeatures>,
): Promise<MahalanobisModel> {
  const classes = new Map<number, ClassSum>();
  const gram = await momentsOf(backend, countedRows(train, classes));
  const { rows, cols } = gram;
  const mean = meanOf(gram);
  const total = covarianceOf(gram);
  const within = total.slice();
  const used = [...classes].sort(([a], [b]) => a - b).map(([, own]) => own);
  const offsets = used.map(({ sum, count }) => sum.map((value, d) => value / count - mean[d]!));
  for (const [c, offset] of offsets.entries()) {
    const share = used[c]!.count / rows;
    for (let i = 0, at = 0; i < cols; i++)
      for (let j = 0; j < cols; j++, at++) within[at]! -= share * offset[i]! * offset[j]!;
  }
  const withinWhitening = whitening(within, cols);
  const centred = new Float32Array(used.length * cols);
  for (const [c, offset] of offsets.entries()) centred.set(offset, c * cols);
  const data = await backend.products({ data: centred, rows: used.length, cols }, withinWhitening);
  const centroids = { data, rows: used.length, cols: withinWhitening.rows };
  return { mean, within: withinWhitening, total: whitening(total, cols), centroids };
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

/** Sum of the rows of a class, and how many there are. */
interface ClassSum {
  readonly sum: Float64Array;
  count: number;
}

/** The rows of train as they pass, added up by class into `classes`. */
async function* countedRows(train: Batched<LabelledFeatures>, classes: Map<number, ClassSum>): AsyncGenerator<Matrix> {
  for await (const batch of batches('oodDetection: train', train, LABELLED)) {
    const x = classTokens(batch);
    checkLabels(batch.labels, x.rows);
    for (const [i, label] of batch.labels.entries()) {
      const own = classes.get(label) ?? { sum: new Float64Array(x.cols), count: 0 };
      classes.set(label, own);
      for (let d = 0; d < x.cols; d++) own.sum[d]! += x.data[i * x.cols + d]!;
      own.count += 1;
    }
    yield x;
  }
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
