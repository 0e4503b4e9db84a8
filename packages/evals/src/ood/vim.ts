/**
 * Confidence by ViM: energy of the logits, less a logit for what lies outside the train features. Features are moved to
 * the origin `o = -W^+ b`, where the classifier says nothing; the residual is their part outside the top `dim`
 * eigenvectors of the train second moment about `o`:
 *
 *   confidence = logsumexp(z) - a |N^T (x - o)|,   a = mean train max-logit / mean train residual norm
 *
 * Source: Wang et al. 2022, as in OpenOOD v1.5.
 */
import { Matrix as DenseMatrix, pseudoInverse } from 'ml-matrix';
import type { EvalBackend, LinearClassifier } from '../backend/eval-backend';
import { ROWS } from '../check-features';
import { classify } from '../classifier';
import { checkOption } from '../errors';
import { type Batched, batches } from '../features';
import { checkWidths, type Matrix } from '../matrix';
import { symmetricEigen } from '../numerics/symmetric-eigen';
import { momentsOf } from '../statistics/moments';
import { logitConfidence } from './logit-scores';

export interface VimModel {
  readonly origin: Float64Array;
  readonly residual: Matrix;
  readonly alpha: number;
}

/** Train rows are passed twice: for their moments, and for what logits and residuals are on average. */
export async function fitVim(
  backend: EvalBackend,
  classifier: LinearClassifier,
  train: Batched<Matrix>,
  dim: number,
): Promise<VimModel> {
  const { cols } = classifier.weight;
  checkOption(
    Number.isInteger(dim) && dim >= 1 && dim < cols,
    `ViM keeps ${dim} of ${cols} dimensions; it must keep fewer`,
  );
  const origin = originOf(classifier);
  const { values, vectors } = symmetricEigen(
    (await momentsOf(backend, eachMoved(train, origin, classifier.weight))).products,
    cols,
  );
  const data = Float32Array.from(vectors.subarray(dim * cols));
  const residual = { data, rows: values.length - dim, cols };
  let [peaks, norms] = [0, 0];
  for await (const x of batches(TRAIN, train, ROWS)) {
    for (const peak of logitConfidence('max-logit', await classify(backend, classifier, x))) peaks += peak;
    for (const norm of await residualNorms(backend, residual, moved(x, origin))) norms += norm;
  }
  return { origin, residual, alpha: peaks / Math.max(norms, Number.MIN_VALUE) };
}

const TRAIN = 'oodDetection: train';

async function* eachMoved(rows: Batched<Matrix>, origin: Float64Array, weight: Matrix): AsyncGenerator<Matrix> {
  for await (const x of batches(TRAIN, rows, ROWS)) {
    checkWidths(x, weight);
    yield moved(x, origin);
  }
}

export async function vimConfidence(
  backend: EvalBackend,
  { origin, residual, alpha }: VimModel,
  x: Matrix,
  logits: Matrix,
): Promise<Float64Array> {
  const energy = logitConfidence('energy', logits);
  const norms = await residualNorms(backend, residual, moved(x, origin));
  return energy.map((value, i) => value - alpha * norms[i]!);
}

/** `-W^+ b`. */
function originOf({ weight, bias }: LinearClassifier): Float64Array {
  const rows = Array.from({ length: weight.rows }, (_, c) => [
    ...weight.data.subarray(c * weight.cols, (c + 1) * weight.cols),
  ]);
  const inverse = pseudoInverse(new DenseMatrix(rows));
  return Float64Array.from(inverse.mmul(DenseMatrix.columnVector([...bias])).to1DArray(), (value) => -value);
}

function moved(x: Matrix, origin: Float64Array): Matrix {
  return { ...x, data: x.data.map((value, i) => value - origin[i % x.cols]!) };
}

async function residualNorms(backend: EvalBackend, residual: Matrix, x: Matrix): Promise<Float64Array> {
  const parts = await backend.products(x, residual);
  const squares = new Float64Array(x.rows);
  for (let i = 0; i < parts.length; i++) squares[Math.floor(i / residual.rows)]! += parts[i]! ** 2;
  return squares.map(Math.sqrt);
}
