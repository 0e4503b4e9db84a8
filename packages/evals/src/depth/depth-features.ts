/**
 * What depth probes read: tokens of several blocks of a frozen backbone, and the measured depth of the same pictures. Plain typed arrays; nothing here
 * knows which model made the tokens or which camera the depth.
 */
import { valueProblem } from '@franca/tensor';
import { checkSet } from '../check-features';
import { EvalsError } from '../errors';

/** Tokens of several blocks with the depth of the same images. */
export interface DepthFeatures {
  /** Width of one level: in Probe3D a patch token joined with the CLS token, twice the model's. */
  readonly dim: number;
  /** Token grid, rows then columns. */
  readonly grid: readonly [rows: number, columns: number];
  /** Tokens of each block, shallow to deep: each `[n, rows * columns, dim]`. */
  readonly levels: readonly Float32Array[];
  /** Extent of a depth map. */
  readonly depthSize: readonly [rows: number, cols: number];
  /** Metres `[n, depthSize[0] * depthSize[1]]`; 0 where there is no reading. */
  readonly depths: Float32Array;
}

const DEPTH = {
  dim: 'number',
  grid: 'numbers',
  levels: 'Float32Arrays',
  depthSize: 'numbers',
  depths: 'Float32Array',
} as const;

/**
 * Refuses what is no set of whole images with depth; returns how many there are.
 *
 * @throws EvalsError `features`
 */
export function checkDepth(what: string, features: DepthFeatures): number {
  checkSet(what, features, DEPTH);
  const { dim, grid, levels, depthSize, depths } = features;
  const bad = (problem: string): never => {
    throw new EvalsError('features', `${what}.${problem}`);
  };
  if (!(Number.isInteger(dim) && dim > 0)) bad(`dim is ${dim}; it must be a positive integer`);
  for (const [name, extent] of [
    ['grid', grid],
    ['depthSize', depthSize],
  ] as const)
    if (extent.length !== 2 || !extent.every((side) => Number.isInteger(side) && side > 0))
      bad(`${name} is [${extent}]; it must be rows and columns, two positive integers`);
  if (levels.length === 0) bad('levels is empty; give the tokens of at least one block');
  const tokens = grid[0] * grid[1] * dim;
  const images = levels[0]!.length / tokens;
  const pixels = depthSize[0] * depthSize[1];
  for (const [l, level] of levels.entries())
    if (!Number.isInteger(images) || level.length !== images * tokens)
      bad(
        `levels[${l}] has ${level.length} values; images of ${grid[0]} x ${grid[1]} tokens of ${dim} have a multiple of ${tokens}, as many in each level`,
      );
  if (depths.length !== images * pixels)
    bad(
      `depths has ${depths.length} values; ${images} images of ${depthSize[0]} x ${depthSize[1]} have ${images * pixels}`,
    );
  return images;
}

/** Refuses two maps of unlike length; `what` is the function that was called. */
export function checkMaps(what: string, prediction: Float32Array, truth: Float32Array): void {
  for (const [name, map] of [
    ['prediction', prediction],
    ['truth', truth],
  ] as const) {
    const problem = valueProblem(name, map, 'Float32Array');
    if (problem) throw new EvalsError('argument', `${what}: ${problem}`);
  }
  if (prediction.length !== truth.length)
    throw new EvalsError(
      'features',
      `${what}: ${prediction.length} predicted depths for ${truth.length} measured ones`,
    );
}
