/**
 * Convolution of images, channels last. out[b, y, x, o] = sum over taps (i, j) and channels c of x[b, y s - p + i, x s - p + j, c] weight[o, i, j, c], for stride s and
 * padding p with zeros: the cross-correlation that networks call convolution. Taps are never written out as rows of a matrix, so that memory is that of
 * images and results. One tap at every pixel is a plain matrix product. A bias or activation after it joins its kernel.
 */
import { opError } from '../../base/errors';
import { type OptionKinds, optionProblem } from '../../base/option-problem';
import { type Shape, showShape } from '../../base/shape';
import type { Tensor } from '../../graph/op';
import { checkTensor } from '../../graph/record';
import { matmul } from '../matmul/matmul';
import type { Pair } from '../matmul/window';
import { reshape } from '../views';
import { windowProduct } from './window-product';

export interface Conv2dOptions {
  /** Pixels from one window to the next, of rows and columns or one number for both (default 1). */
  readonly stride?: number | readonly [rows: number, columns: number];
  /** Rows and columns of zeros on each side (default 0). */
  readonly padding?: number | readonly [rows: number, columns: number];
}

const OPTIONS: OptionKinds<Conv2dOptions> = { stride: true, padding: true };

function pairOf(name: string, value: number | Pair, least: number): Pair {
  const pair = Array.isArray(value) ? (value as readonly unknown[]) : [value, value];
  if (pair.length !== 2 || !pair.every((size) => Number.isSafeInteger(size) && (size as number) >= least))
    opError(
      'argument',
      'conv2d',
      `${name} is ${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}; give a whole number of at least ${least}, or two, of rows and columns`,
    );
  return pair as unknown as Pair;
}

/** Rows and columns of the result. */
function gridOf(x: Shape, weight: Shape, stride: Pair, padding: Pair): Pair {
  const along = (axis: 0 | 1): number =>
    Math.floor((x[1 + axis]! + 2 * padding[axis] - weight[1 + axis]!) / stride[axis]) + 1;
  const grid: Pair = [along(0), along(1)];
  if (grid[0] < 1 || grid[1] < 1)
    opError(
      'shape',
      'conv2d',
      `images ${showShape(x)} with ${padding.join(' and ')} of padding are smaller than the kernel of ${showShape(weight)}; pad them`,
    );
  return grid;
}

/**
 * x [B, H, W, C] and weight [O, kh, kw, C] -> [B, h, w, O], h = floor((H + 2 padding - kh) / stride) + 1; operands of one float type, sums in f32.
 * @throws TensorError `shape`, `dtype`; `argument` for a stride or padding that is none
 */
export function conv2d(x: Tensor, weight: Tensor, options: Conv2dOptions = {}): Tensor {
  for (const tensor of [x, weight]) checkTensor('conv2d', tensor);
  const problem = optionProblem(options, OPTIONS);
  if (problem) opError('argument', 'conv2d', problem);
  const [stride, padding] = [pairOf('stride', options.stride ?? 1, 1), pairOf('padding', options.padding ?? 0, 0)];
  if (x.shape.length !== 4 || weight.shape.length !== 4)
    opError(
      'shape',
      'conv2d',
      `needs images [B, H, W, C] and a weight [O, kh, kw, C], got ${showShape(x.shape)} and ${showShape(weight.shape)}`,
    );
  const [B, H, W, C] = x.shape as [number, number, number, number];
  const [O, ...taps] = weight.shape as [number, number, number, number];
  if (H * W === 0 || taps[0] * taps[1] === 0)
    opError(
      'shape',
      'conv2d',
      `there are no pixels in ${showShape(x.shape)}, or no taps in ${showShape(weight.shape)}`,
    );
  if (taps[2] !== C)
    opError(
      'shape',
      'conv2d',
      `${C} channels of images ${showShape(x.shape)} and ${taps[2]} of the weight ${showShape(weight.shape)} differ`,
    );
  const grid = gridOf(x.shape, weight.shape, stride, padding);
  if (taps[0] * taps[1] === 1 && stride[0] * stride[1] === 1 && padding[0] + padding[1] === 0)
    return reshape(matmul(reshape(x, [B * H * W, C]), reshape(weight, [O, C]), { transposeB: true }), [B, H, W, O]);
  return windowProduct(x, weight, {
    image: x.shape,
    grid,
    taps: [taps[0], taps[1]],
    stride,
    spread: [1, 1],
    step: 1,
    padding,
  });
}
