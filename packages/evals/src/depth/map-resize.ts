/**
 * Maps resized by the three rules that depth probes know. `align-corners`: output i of n lies at i (m - 1) / (n - 1) of m, so that the corners stay where they are;
 * `half-pixel`: pixels are squares and lie at their centres, i.e. at (i + 0.5) m / n - 0.5; `nearest`: floor(i m / n). All are separable: one small matrix for
 * rows and one for columns.
 */
import { resample, resampleMatrix, type Tensor } from '@franca/tensor';

export type MapResize = 'align-corners' | 'half-pixel' | 'nearest';

/** The matrix `[to, from]` that resizes one axis. */
export function resizeMatrix(from: number, to: number, how: MapResize): Float64Array {
  if (how === 'half-pixel') return resampleMatrix(from, to, 'bilinear');
  const matrix = new Float64Array(to * from);
  for (let i = 0; i < to; i++) {
    const at = how === 'nearest' ? Math.floor((i * from) / to) : to > 1 ? (i * (from - 1)) / (to - 1) : 0;
    const first = Math.min(Math.floor(at), from - 1);
    matrix[i * from + first]! += 1 - (at - first);
    if (at > first) matrix[i * from + first + 1]! += at - first;
  }
  return matrix;
}

/** Maps `[B, H, W, C]` as `[B, ...size, C]`. */
export function resizeMaps(x: Tensor, size: readonly [rows: number, cols: number], how: MapResize): Tensor {
  const [, H, W] = x.shape as [number, number, number, number];
  return resample(x, resizeMatrix(H, size[0], how), resizeMatrix(W, size[1], how));
}
