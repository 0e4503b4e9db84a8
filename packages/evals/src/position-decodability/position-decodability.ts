/**
 * Position decodability: how well a linear map reads a patch's place from its token. RASA sets out to remove that. The
 * target of patch (i, j) of an n x m grid is (i / (n - 1), j / (m - 1)). The map is the least-squares solution with
 * bias on train images, in closed form from streamed moments, so there is no optimiser to tune; it is scored on other
 * images by its mean squared error and by R2 = 1 - MSE / variance of the targets: 1 is perfectly readable, 0 is chance.
 *
 *   w = (Cov(x, x) + r I)^-1 Cov(x, y),   r = ridge * mean variance of x
 */
import type { OptionKinds } from '@franca/tensor';
import { CholeskyDecomposition, Matrix as DenseMatrix } from 'ml-matrix';
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend, Gram } from '../backend/eval-backend';
import { PATCHES } from '../check-features';
import { checkOption, checkOptions } from '../errors';
import { type Batched, batches, type PatchFeatures, patchTokens } from '../features';
import type { Matrix } from '../matrix';
import { elapsed, type Outcome } from '../outcome';
import { covarianceOf, meanOf, momentsOf } from '../statistics/moments';

/** Options of `positionDecodability`. */
export interface PositionDecodabilityOptions {
  /** Ridge relative to the mean variance of a feature dimension; default 1e-6. */
  readonly ridge?: number;
  readonly backend?: EvalBackend;
}

const OPTIONS: OptionKinds<PositionDecodabilityOptions> = { ridge: 'number', backend: 'object' };

export interface PositionDecodabilityResult {
  /** R2 averaged over both axes, on the test images. */
  readonly outcome: Outcome;
  /** Per axis, rows then columns. */
  readonly r2: readonly [row: number, col: number];
  readonly mse: readonly [row: number, col: number];
}

/** @throws EvalsError `bad-features` or `bad-option` */
export async function positionDecodability(
  train: Batched<PatchFeatures>,
  test: Batched<PatchFeatures>,
  options: PositionDecodabilityOptions = {},
): Promise<PositionDecodabilityResult> {
  const started = performance.now();
  checkOptions('positionDecodability', options, OPTIONS);
  const { ridge = 1e-6, backend = cpuBackend } = options;
  checkOption(ridge >= 0, `the ridge is ${ridge}; it must not be negative`);
  const fitted = await momentsOf(backend, withPositions('train', train));
  const weights = leastSquares(fitted, ridge);
  const judged = await momentsOf(backend, withPositions('test', test));
  checkOption(
    judged.cols === fitted.cols,
    `train features have ${fitted.cols - 2} dimensions, test ${judged.cols - 2}`,
  );
  const axes = [0, 1].map((axis) => score(fitted, judged, weights[axis]!, axis));
  const [row, col] = axes as [AxisScore, AxisScore];
  const outcome: Outcome = {
    task: 'position-decodability',
    protocol: 'least-squares',
    variant: '',
    evaluated: judged.rows,
    total: judged.rows,
    metric: 'R2',
    value: (row.r2 + col.r2) / 2,
    unit: 'number',
    others: {
      'R2 row': row.r2,
      'R2 column': col.r2,
      MSE: (row.mse + col.mse) / 2,
      'MSE of chance': (row.variance + col.variance) / 2,
    },
    perClass: [],
    hyper: { ridge, trainPatches: fitted.rows, backend: backend.name },
    selectedOn: 'nothing',
    seeds: [],
    quirks: false,
    wallMs: elapsed(started),
  };
  return { outcome, r2: [row.r2, col.r2], mse: [row.mse, col.mse] };
}

/** Tokens with their row and column position appended, `[n, D + 2]`. */
async function* withPositions(part: string, features: Batched<PatchFeatures>): AsyncGenerator<Matrix> {
  for await (const batch of batches(`positionDecodability: ${part}`, features, PATCHES)) {
    const tokens = patchTokens(batch);
    const cols = tokens.cols + 2;
    const [height, width] = batch.grid;
    const data = new Float32Array(tokens.rows * cols);
    for (let i = 0; i < tokens.rows; i++) {
      data.set(tokens.data.subarray(i * tokens.cols, (i + 1) * tokens.cols), i * cols);
      const cell = i % (height * width);
      data[(i + 1) * cols - 2] = Math.floor(cell / width) / Math.max(1, height - 1);
      data[(i + 1) * cols - 1] = (cell % width) / Math.max(1, width - 1);
    }
    yield { data, rows: tokens.rows, cols };
  }
}

/** Weights `[D]` of both axes. */
function leastSquares(gram: Gram, ridge: number): Float64Array[] {
  const dim = gram.cols - 2;
  const covariance = covarianceOf(gram);
  const at = (i: number, j: number) => covariance[i * gram.cols + j]!;
  let trace = 0;
  for (let d = 0; d < dim; d++) trace += at(d, d);
  // Rounding must not make the matrix indefinite even where no ridge is asked for.
  const shift = (Math.max(ridge, 1e-12) * trace) / dim + Number.MIN_VALUE;
  const system = Array.from({ length: dim }, (_, i) =>
    Array.from({ length: dim }, (_, j) => at(i, j) + (i === j ? shift : 0)),
  );
  const targets = Array.from({ length: dim }, (_, i) => [at(i, dim), at(i, dim + 1)]);
  const solution = new CholeskyDecomposition(new DenseMatrix(system)).solve(new DenseMatrix(targets));
  return [0, 1].map((axis) => Float64Array.from(solution.getColumn(axis)));
}

interface AxisScore {
  readonly mse: number;
  readonly variance: number;
  readonly r2: number;
}

/**
 * Error of the fitted map on the judged moments: with residual `e = y - m_y - w . (x - m_x)` about the train means `m`,
 * `E[e^2] = Var(e) + E[e]^2`, and both follow from the judged covariance and means.
 */
function score(fitted: Gram, judged: Gram, weights: Float64Array, axis: number): AxisScore {
  const { cols } = judged;
  const target = cols - 2 + axis;
  const covariance = covarianceOf(judged);
  const drift = meanOf(judged).map((value, d) => value - meanOf(fitted)[d]!);
  // The residual is one linear combination of the columns of [x, y].
  const combination = new Float64Array(cols);
  combination.set(weights.map((weight) => -weight));
  combination[target] = 1;
  let variance = 0;
  let mean = 0;
  for (let i = 0; i < cols; i++) {
    mean += combination[i]! * drift[i]!;
    for (let j = 0; j < cols; j++) variance += combination[i]! * combination[j]! * covariance[i * cols + j]!;
  }
  const mse = variance + mean * mean;
  const chance = covariance[target * cols + target]!;
  return { mse, variance: chance, r2: chance > 0 ? 1 - mse / chance : 0 };
}
