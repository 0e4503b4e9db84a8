/**
 * The learned position table and its resampling to another grid. The table is used as it is when the grid is the one it was made for and square;
 * otherwise its patch part is resampled, bicubic, by two small matrices, and the class position, where there is one, is left alone. With the official offset of 0.1 the step
 * between samples is M / (h + 0.1) instead of M / h.
 */
import { concat, resample, resampleMatrix, reshape, sliceAxis, type Tensor } from '@franca/tensor';
import type { VitConfig } from './config';

/** How positions are resampled, and whether the first is that of the class token. */
export type PositionOptions = Pick<VitConfig, 'interpolateOffset' | 'interpolateAntialias' | 'classToken'>;

/** Table [1, 1 + M M, D] -> [1, 1 + h w, D] for a grid of h x w patches, rows outer; without a class token [1, M M, D] -> [1, h w, D]. */
export function positionEmbedding(
  table: Tensor,
  [h, w]: readonly [number, number],
  { interpolateOffset, interpolateAntialias, classToken = true }: PositionOptions,
): Tensor {
  const [, count, D] = table.shape as [number, number, number];
  const before = classToken ? 1 : 0;
  const M = Math.round(Math.sqrt(count - before));
  if (h === M && w === M) return table;
  const matrix = (to: number): Float64Array =>
    resampleMatrix(M, to, interpolateAntialias ? 'bicubic-antialias' : 'bicubic', (to + interpolateOffset) / M);
  const patches = reshape(sliceAxis(table, 1, before, count), [1, M, M, D]);
  const resampled = reshape(resample(patches, matrix(h), matrix(w)), [1, h * w, D]);
  return classToken ? concat([sliceAxis(table, 1, 0, 1), resampled], 1) : resampled;
}
