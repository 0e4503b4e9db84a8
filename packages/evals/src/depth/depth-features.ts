/**
 * What depth probes read: tokens of several blocks of a frozen backbone, and the measured depth of the same pictures. Plain typed arrays; nothing here
 * knows which model made the tokens or which camera the depth.
 */
import { valueProblem } from '@franca/tensor';
import { checkSet, type FeatureKinds } from '../check-features';
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

/** Tokens alone, as a prediction needs them, with the extent that the depth shall have. */
export type DepthTokens = Omit<DepthFeatures, 'depths'>;

const TOKENS = { dim: 'number', grid: 'numbers', levels: 'Float32Arrays', depthSize: 'numbers' } as const;

/**
 * Refuses what is no set of whole images; returns how many there are.
 *
 * @throws EvalsError `features`
 */
export function checkTokens(what: string, features: DepthTokens): number {
  checkSet(what, features, TOKENS);
  const { dim, grid, levels, depthSize } = features;
  const check = (valid: boolean, problem: string): void => {
    if (!valid) throw new EvalsError('features', `${what}.${problem}`);
  };
  check(Number.isInteger(dim) && dim > 0, `dim is ${dim}; it must be a positive integer`);
  for (const [name, extent] of Object.entries({ grid, depthSize }))
    check(
      extent.length === 2 && extent.every((side) => Number.isInteger(side) && side > 0),
      `${name} is [${extent}]; it must be rows and columns, two positive integers`,
    );
  check(levels.length > 0, 'levels is empty; give the tokens of at least one block');
  const tokens = grid[0] * grid[1] * dim;
  const images = levels[0]!.length / tokens;
  for (const [l, level] of levels.entries())
    check(
      Number.isInteger(images) && level.length === images * tokens,
      `levels[${l}] has ${level.length} values; images of ${grid.join(' x ')} tokens of ${dim} have a multiple of ${tokens}, as many in each level`,
    );
  return images;
}

/** The parts of a set with depth. */
export const DEPTH_KINDS: FeatureKinds = { ...TOKENS, depths: 'Float32Array' };

/**
 * Refuses what is no set of whole images with depth; returns how many there are.
 *
 * @throws EvalsError `features`
 */
export function checkDepth(what: string, features: DepthFeatures): number {
  const images = checkTokens(what, features);
  checkSet(what, features, DEPTH_KINDS);
  const { depthSize, depths } = features;
  const pixels = images * depthSize[0] * depthSize[1];
  if (depths.length !== pixels)
    throw new EvalsError(
      'features',
      `${what}.depths has ${depths.length} values; ${images} images of ${depthSize.join(' x ')} have ${pixels}`,
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
