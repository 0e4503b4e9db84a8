/**
 * The quick depth probe, in closed form: ridge regression of the mean depth of a token's cell on the token's features.
 *
 * Each cell with a reading in at least half of its pixels is one row: its features x of all levels, standardised by mean and population standard deviation over these rows,
 * and its mean measured depth y. With Z the standardised rows, w = (Z^T Z + lambda I)^-1 Z^T (y - mean y), and the depth of a cell is mean y + z w, clamped to 1 mm to 10 m.
 * All that this needs are the second moments of [x, y], which are summed batch by batch; nothing is kept. Maps are enlarged with the corners aligned.
 */
import type { OptionKinds } from '@franca/tensor';
import { CholeskyDecomposition, Matrix as DenseMatrix } from 'ml-matrix';
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend, Gram, GramSession } from '../backend/eval-backend';
import { checkArgument, checkOption, checkOptions, EvalsError } from '../errors';
import { type Batched, batches } from '../features';
import type { Matrix } from '../matrix';
import { bilinear } from '../numerics/bilinear';
import { checkDepth, checkTokens, DEPTH_KINDS, type DepthFeatures, type DepthTokens } from './depth-features';
import { DEPTH_RANGE } from './depth-protocol';

export interface DepthRidge {
  /** Width of the joined features. */
  readonly inputs: number;
  /** Depth per feature `[inputs]`, before standardisation, and what is added. */
  readonly weight: Float64Array;
  readonly intercept: number;
  /** Cells that it was fitted to. */
  readonly cells: number;
}

export interface DepthRidgeOptions {
  /** Penalty on the sum of squares (default 1000). */
  readonly lambda?: number;
  readonly backend?: EvalBackend;
}

const OPTIONS: OptionKinds<DepthRidgeOptions> = { lambda: 'number', backend: 'object' };
/** Added to standard deviations, so that a constant feature counts nothing. */
const EPS = 1e-6;

/**
 * Fits the ridge on features in one or several batches.
 *
 * @throws EvalsError `options`; `features` where no cell is measured, or the grid does not divide the depth map
 */
export async function fitDepthRidge(
  train: Batched<DepthFeatures>,
  options: DepthRidgeOptions = {},
): Promise<DepthRidge> {
  checkOptions('fitDepthRidge', options, OPTIONS);
  const { lambda = 1000, backend = cpuBackend } = options;
  checkOption(lambda > 0, `fitDepthRidge: lambda is ${lambda}; it must be above 0`);
  let session: GramSession | undefined;
  let inputs = 0;
  try {
    for await (const batch of batches('fitDepthRidge: train', train, DEPTH_KINDS)) {
      const rows = cellRows(batch);
      session ??= backend.openGram(rows.cols);
      if (inputs > 0 && rows.cols !== inputs + 1)
        throw new EvalsError('features', `fitDepthRidge: batches of ${inputs} and of ${rows.cols - 1} features`);
      inputs = rows.cols - 1;
      if (rows.rows > 0) await session.add(rows);
    }
    const gram = await session?.result();
    if (!gram || gram.rows === 0)
      throw new EvalsError(
        'features',
        'fitDepthRidge: no cell is measured in half of its pixels; there is nothing to learn from',
      );
    return solve(gram, lambda);
  } finally {
    session?.[Symbol.dispose]();
  }
}

/**
 * Metres `[n, depthSize]` for the images of a batch.
 *
 * @throws EvalsError `argument`; `features` where they are not as wide as those of the fit
 */
export function predictDepthRidge(ridge: DepthRidge, features: DepthTokens): Float32Array {
  checkArgument('predictDepthRidge', 'ridge', ridge, 'object');
  checkArgument('predictDepthRidge', 'ridge.weight', ridge.weight, 'list');
  const images = checkTokens('predictDepthRidge', features);
  const { dim, levels, grid, depthSize } = features;
  if (dim * levels.length !== ridge.inputs)
    throw new EvalsError(
      'features',
      `predictDepthRidge: ${levels.length} levels of ${dim}; the ridge reads ${ridge.inputs} features`,
    );
  const [cells, pixels] = [grid[0] * grid[1], depthSize[0] * depthSize[1]];
  const depths = new Float32Array(images * pixels);
  const enlarge = bilinear(grid, depthSize, true);
  const enlarged = new Float64Array(pixels);
  for (let image = 0; image < images; image++) {
    const map = Float64Array.from({ length: cells }, (_, cell) => depthOfCell(ridge, features, image * cells + cell));
    enlarge.apply(map, enlarged, 1);
    depths.set(enlarged, image * pixels);
  }
  return depths;
}

function depthOfCell({ weight, intercept }: DepthRidge, { dim, levels }: DepthTokens, cell: number): number {
  let depth = intercept;
  for (const [l, level] of levels.entries())
    for (let d = 0; d < dim; d++) depth += weight[l * dim + d]! * level[cell * dim + d]!;
  return Math.min(Math.max(depth, DEPTH_RANGE[0]), DEPTH_RANGE[1]);
}

/** A row `[x, y]` for each cell that is measured in at least half of its pixels. */
function cellRows(batch: DepthFeatures): Matrix {
  const images = checkDepth('fitDepthRidge: train', batch);
  const { dim, levels } = batch;
  const cols = dim * levels.length + 1;
  const means = Array.from({ length: images }, (_, image) => cellMeans(batch, image)).flat();
  const measured = [...means.keys()].filter((cell) => means[cell] !== undefined);
  const data = new Float32Array(measured.length * cols);
  for (const [row, cell] of measured.entries()) {
    for (const [l, level] of levels.entries())
      data.set(level.subarray(cell * dim, (cell + 1) * dim), row * cols + l * dim);
    data[(row + 1) * cols - 1] = means[cell]!;
  }
  return { data, rows: measured.length, cols };
}

/** Mean measured depth of each cell; undefined where more than half of its pixels have no reading. Where the grid does not divide the map, cells differ by a pixel. */
function cellMeans(
  { grid: [h, w], depthSize: [rows, cols], depths }: DepthFeatures,
  image: number,
): (number | undefined)[] {
  const edge = (i: number, of: number, pixels: number): number => Math.floor((i * pixels) / of);
  return Array.from({ length: h * w }, (_, cell) => {
    const [r, c] = [Math.floor(cell / w), cell % w];
    const [top, bottom] = [edge(r, h, rows), edge(r + 1, h, rows)];
    const [left, right] = [edge(c, w, cols), edge(c + 1, w, cols)];
    let [sum, count] = [0, 0];
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) {
        const depth = depths[(image * rows + y) * cols + x]!;
        if (!(depth > 0 && depth <= DEPTH_RANGE[1])) continue;
        sum += depth;
        count++;
      }
    return count > 0 && 2 * count >= (bottom - top) * (right - left) ? sum / count : undefined;
  });
}

/** The ridge from the moments of rows `[x, y]`. */
function solve({ rows, cols, sum, products }: Gram, lambda: number): DepthRidge {
  const inputs = cols - 1;
  const mean = Float64Array.from(sum, (value) => value / rows);
  const covariance = (i: number, j: number): number => products[i * cols + j]! / rows - mean[i]! * mean[j]!;
  const deviation = Float64Array.from({ length: inputs }, (_, i) => Math.sqrt(Math.max(covariance(i, i), 0)) + EPS);
  const normal = DenseMatrix.zeros(inputs, inputs);
  for (let i = 0; i < inputs; i++) {
    for (let j = 0; j < inputs; j++) normal.set(i, j, (rows * covariance(i, j)) / (deviation[i]! * deviation[j]!));
    normal.set(i, i, normal.get(i, i) + lambda);
  }
  const right = DenseMatrix.columnVector(
    Array.from({ length: inputs }, (_, i) => (rows * covariance(i, inputs)) / deviation[i]!),
  );
  const solved = new CholeskyDecomposition(normal).solve(right);
  const weight = Float64Array.from({ length: inputs }, (_, i) => solved.get(i, 0) / deviation[i]!);
  const intercept = weight.reduce((rest, value, i) => rest - value * mean[i]!, mean[inputs]!);
  return { inputs, weight, intercept, cells: rows };
}
