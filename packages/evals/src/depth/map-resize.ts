/** How depth probes resize maps: bilinear with the corners aligned, bilinear with pixels as squares that lie at their centres, or by the nearest neighbour. */
import { resize, type Tensor } from '@franca/tensor';

export type MapResize = 'align-corners' | 'half-pixel' | 'nearest';

/** Maps `[B, H, W, C]` as `[B, ...size, C]`. */
export const resizeMaps = (x: Tensor, size: readonly [rows: number, cols: number], how: MapResize): Tensor =>
  resize(x, size, how === 'nearest' ? { filter: how } : { alignCorners: how === 'align-corners' });
