/**
 * Bicubic and bilinear resampling as PIL does it on 8-bit images, to the bit.
 *
 * Output pixel `x` of an axis of `n` pixels taken from a span of `m` sits at `c = (x + 1/2) m/n` in the input. Its value
 * is the weighted mean of the input pixels within `2 s` of `c`, `s = max(m/n, 1)`, with Keys' cubic (a = -1/2) stretched by
 * `s`, or of those within `s` with a triangle: shrinking therefore averages (antialias) and enlarging interpolates. Weights are normalised to sum 1, then rounded
 * to 22-bit fixed point. The horizontal pass comes first and its result is rounded and clamped to 8 bits before the
 * vertical pass; leaving out that middle step changes pixels by up to 12 levels.
 */

import type { OptionKinds } from '@franca/tensor';
import { checkCount, checkOptions } from '../errors';
import { checkPixels, type PixelImage } from '../images/image';

/** The part of an image that a resize reads: whole pixels, inside the image. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Weights of one axis: output `i` is the sum over `t < counts[i]` of `weights[i * taps + t] * input[starts[i] + t]`. */
interface AxisWeights {
  taps: number;
  starts: Int32Array;
  counts: Int32Array;
  weights: Int32Array;
}

/** A kernel that is 0 beyond `support` input pixels. */
interface Filter {
  support: number;
  kernel: (distance: number) => number;
}

const BICUBIC: Filter = { support: 2, kernel: cubicKernel };
const BILINEAR: Filter = { support: 1, kernel: (distance) => Math.max(0, 1 - Math.abs(distance)) };
const FRACTION_BITS = 22;
const HALF = 1 << (FRACTION_BITS - 1);

/** Keys' cubic convolution kernel with a = -1/2. */
export function cubicKernel(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

/** Weights for outputs `first .. first + count - 1` of an axis resized from `input` to `output` pixels. */
function axisWeights(
  { support: reach, kernel }: Filter,
  input: number,
  output: number,
  first: number,
  count: number,
): AxisWeights {
  const scale = input / output;
  const stretch = Math.max(scale, 1);
  const support = reach * stretch;
  const taps = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(count);
  const counts = new Int32Array(count);
  const weights = new Int32Array(count * taps);
  const row = new Float64Array(taps);
  for (let i = 0; i < count; i++) {
    const center = (first + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(input, Math.trunc(center + support + 0.5));
    let sum = 0;
    for (let t = 0; t < end - start; t++) sum += row[t] = kernel((t + start - center + 0.5) / stretch);
    for (let t = 0; t < end - start; t++) {
      const fixed = (row[t]! / sum) * (1 << FRACTION_BITS);
      weights[i * taps + t] = Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    }
    starts[i] = start;
    counts[i] = end - start;
  }
  return { taps, starts, counts, weights };
}

/** Turns an axis around: output `i` becomes output `count - 1 - i`. */
function mirrored({ taps, starts, counts, weights }: AxisWeights): AxisWeights {
  const count = starts.length;
  const turned = new Int32Array(weights.length);
  for (let i = 0; i < count; i++) turned.set(weights.subarray(i * taps, (i + 1) * taps), (count - 1 - i) * taps);
  return { taps, starts: starts.toReversed(), counts: counts.toReversed(), weights: turned };
}

function toByte(fixed: number): number {
  return Math.max(0, Math.min(255, fixed >> FRACTION_BITS));
}

/** Options of `resizeBicubic` and `resizeBilinear`. */
export interface ResizeOptions {
  /** Part of the image to read; pixels outside it have no influence. Default: all of it. */
  box?: Box;
  /** Part of the output to compute, a window of the `width x height` result. Default: all of it. */
  window?: Box;
  /** Mirror the result left to right. */
  flip?: boolean;
}

const OPTIONS: OptionKinds<ResizeOptions> = { box: 'object', window: 'object', flip: 'boolean' };

/**
 * Resizes (a box of) an image to `width x height` like PIL's `crop(box).resize((width, height), BICUBIC)`.
 * @returns RGB of the window's size
 * @throws DataError `argument` when the bytes do not fit the size of the image
 */
export function resizeBicubic(
  image: PixelImage,
  width: number,
  height: number,
  options: ResizeOptions = {},
): PixelImage {
  checkResize('resizeBicubic', image, width, height, options);
  return resample(BICUBIC, image, width, height, options);
}

/**
 * `resizeBicubic` with the triangle filter: PIL's `crop(box).resize((width, height), BILINEAR)`, torchvision's default.
 * @throws DataError `argument` as `resizeBicubic`
 */
export function resizeBilinear(
  image: PixelImage,
  width: number,
  height: number,
  options: ResizeOptions = {},
): PixelImage {
  checkResize('resizeBilinear', image, width, height, options);
  return resample(BILINEAR, image, width, height, options);
}

function checkResize(what: string, image: PixelImage, width: number, height: number, options: ResizeOptions): void {
  checkPixels(image);
  checkCount(what, 'width', width, 1);
  checkCount(what, 'height', height, 1);
  checkOptions(what, options, OPTIONS);
}

function resample(
  filter: Filter,
  image: PixelImage,
  width: number,
  height: number,
  options: ResizeOptions,
): PixelImage {
  const box = options.box ?? { left: 0, top: 0, width: image.width, height: image.height };
  const window = options.window ?? { left: 0, top: 0, width, height };
  const straight = axisWeights(filter, box.width, width, window.left, window.width);
  const across = options.flip ? mirrored(straight) : straight;
  const down = axisWeights(filter, box.height, height, window.top, window.height);
  const last = window.height - 1;
  const firstRow = down.starts[0]!;
  const rows = down.starts[last]! + down.counts[last]! - firstRow;
  const narrowed = horizontalPass(image, { ...box, top: box.top + firstRow, height: rows }, across);
  const data = verticalPass(narrowed, window.width, firstRow, down);
  return { width: window.width, height: window.height, channels: 3, data };
}

/** @returns RGB bytes `[box.height, outputs, 3]` */
function horizontalPass(image: PixelImage, box: Box, axis: AxisWeights): Uint8Array {
  const { data, channels } = image;
  const { taps, starts, counts, weights } = axis;
  const columns = starts.length;
  const output = new Uint8Array(box.height * columns * 3);
  for (let y = 0, to = 0; y < box.height; y++) {
    const row = ((box.top + y) * image.width + box.left) * channels;
    for (let x = 0; x < columns; x++, to += 3) {
      let from = row + starts[x]! * channels;
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      const end = x * taps + counts[x]!;
      for (let t = x * taps; t < end; t++, from += channels) {
        const weight = weights[t]!;
        red = (red + Math.imul(weight, data[from]!)) | 0;
        green = (green + Math.imul(weight, data[from + 1]!)) | 0;
        blue = (blue + Math.imul(weight, data[from + 2]!)) | 0;
      }
      output[to] = toByte(red);
      output[to + 1] = toByte(green);
      output[to + 2] = toByte(blue);
    }
  }
  return output;
}

/** `input` holds RGB rows from `firstRow` of the box on. @returns RGB bytes `[outputs, columns, 3]` */
function verticalPass(input: Uint8Array, columns: number, firstRow: number, axis: AxisWeights): Uint8Array {
  const { taps, starts, counts, weights } = axis;
  const stride = columns * 3;
  const output = new Uint8Array(starts.length * stride);
  for (let y = 0, to = 0; y < starts.length; y++) {
    const top = (starts[y]! - firstRow) * stride;
    const end = y * taps + counts[y]!;
    for (let x = 0; x < stride; x += 3, to += 3) {
      let from = top + x;
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      for (let t = y * taps; t < end; t++, from += stride) {
        const weight = weights[t]!;
        red = (red + Math.imul(weight, input[from]!)) | 0;
        green = (green + Math.imul(weight, input[from + 1]!)) | 0;
        blue = (blue + Math.imul(weight, input[from + 2]!)) | 0;
      }
      output[to] = toByte(red);
      output[to + 1] = toByte(green);
      output[to + 2] = toByte(blue);
    }
  }
  return output;
}
