/** Batches of depth features as a compiled step takes them: always the same number of images, the missing ones empty and without any measured pixel. */
import { type Spec, spec } from '@franca/tensor';
import { EvalsError } from '../errors';
import { checkDepth, type DepthFeatures, type DepthTokens } from './depth-features';

/** Extents that all batches of a training share. */
export interface BatchShape {
  readonly images: number;
  readonly dim: number;
  readonly levels: number;
  readonly grid: readonly [rows: number, columns: number];
  readonly depthSize: readonly [rows: number, cols: number];
}

const levelName = (level: number): string => `level${level}`;

/** Inputs of the levels by name. */
export const levelSpecs = ({ images, dim, levels, grid }: BatchShape): Record<string, Spec> =>
  Object.fromEntries(Array.from({ length: levels }, (_, level) => [levelName(level), spec([images, ...grid, dim])]));

export const shapeOf = ({ dim, grid, levels, depthSize }: DepthTokens, images: number): BatchShape => ({
  images,
  dim,
  grid,
  levels: levels.length,
  depthSize,
});

/**
 * The number of images in a batch that is to be like the others.
 *
 * @throws EvalsError `features` as `checkDepth`, and where the batch is larger or of other extents
 */
export function checkBatch(what: string, batch: DepthFeatures, wanted: BatchShape): number {
  const images = checkDepth(what, batch);
  const said = ({ dim, levels, grid, depthSize }: Omit<BatchShape, 'images'>): string =>
    `${levels} levels of ${grid.join(' x ')} tokens of ${dim}, depth of ${depthSize.join(' x ')}`;
  const [own, others] = [said(shapeOf(batch, images)), said(wanted)];
  if (own !== others) throw new EvalsError('features', `${what} has ${own}; the first had ${others}`);
  if (images < 1 || images > wanted.images)
    throw new EvalsError('features', `${what} has ${images} images; a batch has 1 to ${wanted.images}`);
  return images;
}

/** Values of the inputs, filled up with empty images. */
export function batchValues(batch: DepthTokens, { images, dim, grid }: BatchShape): Record<string, Float32Array> {
  const tokens = grid[0] * grid[1] * dim;
  return Object.fromEntries(batch.levels.map((level, l) => [levelName(l), filled(level, images * tokens)]));
}

/** The values with zeros behind them, copied only where there are any to add. */
export function filled(values: Float32Array, length: number): Float32Array {
  if (values.length === length) return values;
  const longer = new Float32Array(length);
  longer.set(values);
  return longer;
}
