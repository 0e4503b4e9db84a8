/**
 * The learned position table and its resampling to another grid. The table is used as it is when the grid is the one it was made for and square;
 * otherwise its patch part is resampled, bicubic, by two small matrices, and the class position is left alone. With the official offset of 0.1 the step
 * between samples is M / (h + 0.1) instead of M / h.
 */
import { concat, resample, resampleMatrix, reshape, sliceAxis, type Tensor } from '@franca/tensor';
import type { VitConfig } from './config';

/** How positions are resampled. */
export type PositionOptions = Pick<VitConfig, 'interpolateOffset' | 'interpolateAntialias'>;

/** Table [1, 1 + M M, D] -> [1, 1 + h w, D] for a grid of h x w patches, rows outer. */
export function positionEmbedding(
  table: Tensor,
  [h, w]: readonly [number, number],
  { interpolateOffset, interpolateAntialias }: PositionOptions,
): Tensor {
  const [, count, D] = table.shape as [number, number, number];
  const M = Math.round(Math.sqrt(count - 1));
  if (h === M && w === M) return table;
  const matrix = (to: number): Float64Array =>
    resampleMatrix(M, to, interpolateAntialias ? 'bicubic-antialias' : 'bicubic', (to + interpolateOffset) / M);
  const patches = reshape(sliceAxis(table, 1, 1, count), [1, M, M, D]);
  const resampled = reshape(resample(patches, matrix(h), matrix(w)), [1, h * w, D]);
  return concat([sliceAxis(table, 1, 0, 1), resampled], 1);
}
