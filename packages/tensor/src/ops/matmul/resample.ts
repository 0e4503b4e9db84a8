/**
 * Image resampling as two matrix products, bilinear and bicubic. A separable filter resizes each axis by one small matrix, so resizing is
 * two matrix products, on any grid, with gradients for free. Three published filters are covered: bilinear; bicubic as in PyTorch's
 * `interpolate` (a = -0.75, 4 taps, borders clamped), optionally with a given scale factor; and antialiased bicubic (a = -0.5, support
 * widened when shrinking, weights renormalised).
 */
import type { Tensor } from '../../graph/op';
import { checkTensor } from '../../graph/record';
import { constant } from '../sources';
import { reshape } from '../views';
import { matmul } from './matmul';

export type Filter = 'bilinear' | 'bicubic' | 'bicubic-antialias';

/** Cubic convolution kernel (Keys 1981) with parameter a. */
function cubic(x: number, a: number): number {
  const t = Math.abs(x);
  if (t <= 1) return (a + 2) * t ** 3 - (a + 3) * t ** 2 + 1;
  return t < 2 ? a * t ** 3 - 5 * a * t ** 2 + 8 * a * t - 4 * a : 0;
}

/**
 * The [to, from] matrix that resamples one axis. Pixel centres are at half-integers. `scale` (output pixels per input pixel, default to / from) sets
 * where the source coordinates fall: (i + 0.5) / scale - 0.5.
 */
export function resampleMatrix(from: number, to: number, filter: Filter, scale: number = to / from): Float64Array {
  const matrix = new Float64Array(to * from);
  for (let i = 0; i < to; i++) {
    const row = matrix.subarray(i * from, (i + 1) * from);
    if (filter === 'bicubic-antialias') antialiasedRow(row, i, scale);
    else interpolatedRow(row, (i + 0.5) / scale - 0.5, filter);
  }
  return matrix;
}

function interpolatedRow(row: Float64Array, source: number, filter: 'bilinear' | 'bicubic'): void {
  // PyTorch clamps the coordinate itself for bilinear, only the taps for bicubic.
  const at = filter === 'bilinear' ? Math.max(source, 0) : source;
  const first = Math.floor(at);
  const t = at - first;
  const taps =
    filter === 'bilinear'
      ? ([
          [0, 1 - t],
          [1, t],
        ] as const)
      : ([-1, 0, 1, 2] as const).map((offset) => [offset, cubic(offset - t, -0.75)] as const);
  for (const [offset, weight] of taps) row[Math.min(Math.max(first + offset, 0), row.length - 1)]! += weight;
}

function antialiasedRow(row: Float64Array, i: number, scale: number): void {
  const stretch = Math.max(1, 1 / scale);
  const support = 2 * stretch;
  const centre = (i + 0.5) / scale;
  const first = Math.max(Math.trunc(centre - support + 0.5), 0);
  const end = Math.min(Math.trunc(centre + support + 0.5), row.length);
  let sum = 0;
  for (let j = first; j < end; j++) sum += row[j] = cubic((j + 0.5 - centre) / stretch, -0.5);
  for (let j = first; j < end; j++) row[j]! /= sum;
}

/** x [.., H, W, C] resampled to [.., h, w, C] by matrices [h, H] and [w, W] (from `resampleMatrix`): rows first, then columns. */
export function resample(x: Tensor, rows: Float64Array, columns: Float64Array): Tensor {
  checkTensor('resample', x);
  const [H, W, C] = x.shape.slice(-3) as [number, number, number];
  const lead = x.shape.slice(0, -3);
  const [h, w] = [rows.length / H, columns.length / W];
  const byRows = matmul(constant(rows, [h, H]), reshape(x, [...lead, H, W * C]));
  return matmul(constant(columns, [w, W]), reshape(byRows, [...lead, h, W, C]));
}
