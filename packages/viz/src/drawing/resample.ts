/**
 * Resampling of grids of values [H, W, C]: nearest, bilinear or area. Sample positions follow the half-pixel rule of
 * `align_corners=False`: output pixel i looks at (i + 0.5) * in / out - 0.5. Nearest takes the cell that holds that
 * point, bilinear weighs the four around it (edges repeated), area averages every input pixel that an output pixel
 * covers.
 */
import { checkCount, checkLength } from '../errors';
import { type PixelImage, rgbImage, toRgb } from './image';

/** How values between samples are found. */
export type Resampling = 'nearest' | 'bilinear' | 'area';

/** Height and width in pixels; every picture has them. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** Source indices and weights of one output index along one axis. */
interface Taps {
  readonly indices: readonly number[];
  readonly weights: readonly number[];
}

/** Resamples `values` [from.height, from.width, channels] to `to`; throws `shape` on a length that does not fit. */
export function resample(
  values: ArrayLike<number>,
  from: ImageSize,
  to: ImageSize,
  channels: number,
  method: Resampling,
): Float32Array {
  checkLength('the grid', values, [from.height, from.width, channels]);
  checkCount('the new height', to.height);
  checkCount('the new width', to.width);
  const wide = resampleColumns(values, from, to.width, channels, method);
  const rowTaps = taps(from.height, to.height, method);
  const rowLength = to.width * channels;
  const out = new Float32Array(to.height * rowLength);
  for (let y = 0; y < to.height; y++) {
    const { indices, weights } = rowTaps[y]!;
    for (let tap = 0; tap < indices.length; tap++) {
      const source = indices[tap]! * rowLength;
      const weight = weights[tap]!;
      for (let i = 0; i < rowLength; i++) out[y * rowLength + i]! += weight * wide[source + i]!;
    }
  }
  return out;
}

/** A picture at another size, in RGB. */
export function resizeImage(picture: PixelImage, to: ImageSize, method: Resampling): PixelImage {
  const image = toRgb(picture);
  if (image.width === to.width && image.height === to.height) return image;
  const values = resample(image.data, image, to, 3, method);
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.round(values[i]!);
  return rgbImage(to.width, to.height, bytes);
}

function resampleColumns(
  values: ArrayLike<number>,
  from: ImageSize,
  width: number,
  channels: number,
  method: Resampling,
): Float64Array {
  const columnTaps = taps(from.width, width, method);
  const out = new Float64Array(from.height * width * channels);
  for (let y = 0; y < from.height; y++) {
    for (let x = 0; x < width; x++) {
      const { indices, weights } = columnTaps[x]!;
      const at = (y * width + x) * channels;
      for (let tap = 0; tap < indices.length; tap++) {
        const source = (y * from.width + indices[tap]!) * channels;
        const weight = weights[tap]!;
        for (let c = 0; c < channels; c++) out[at + c]! += weight * values[source + c]!;
      }
    }
  }
  return out;
}

function taps(from: number, to: number, method: Resampling): Taps[] {
  const rule = { nearest: nearestTap, bilinear: bilinearTaps, area: areaTaps }[method];
  return Array.from({ length: to }, (_, i) => rule(i, from, to));
}

function nearestTap(i: number, from: number, to: number): Taps {
  return { indices: [Math.min(from - 1, Math.floor(((i + 0.5) * from) / to))], weights: [1] };
}

function bilinearTaps(i: number, from: number, to: number): Taps {
  const position = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
  const low = Math.floor(position);
  const high = Math.min(from - 1, low + 1);
  return { indices: [low, high], weights: [1 - (position - low), position - low] };
}

function areaTaps(i: number, from: number, to: number): Taps {
  const start = (i * from) / to;
  const end = ((i + 1) * from) / to;
  const indices = [];
  const weights = [];
  for (let source = Math.floor(start); source < Math.min(from, end); source++) {
    indices.push(source);
    weights.push((Math.min(end, source + 1) - Math.max(start, source)) / (end - start));
  }
  return { indices, weights };
}
