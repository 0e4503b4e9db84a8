/**
 * A picture seen through a projective map of its plane: a turn, a zoom, a tilt.
 *
 * Each pixel of the output takes the value at the place of the input that its centre comes from, between four pixels (bilinear):
 * `(x, y) = ((m0 u + m1 v + m2) / w, (m3 u + m4 v + m5) / w)` with `w = m6 u + m7 v + m8`. Positions count from the corner of the
 * picture, so that the centre of the first pixel is (0.5, 0.5); a map onto whole pixels (the identity, a shift, a quarter turn)
 * copies them exactly. There is no filter against aliasing: a map that shrinks by more than about 2 skips pixels.
 */

import { checkArgument, checkCount, DataError } from '../errors';
import { checkPixels, type PixelImage } from '../images/image';

/** The picture to be made. */
export interface WarpedSize {
  /** Columns and rows. */
  readonly width: number;
  readonly height: number;
}

/**
 * Warps a picture.
 * @param matrix nine numbers, row by row: from places in the output to places in the input
 * @param size of the output
 * @returns RGB; what lies outside the input has the input's mean colour
 * @throws DataError `argument` for what is no picture, size or matrix
 */
export function warpImage(image: PixelImage, matrix: readonly number[], size: WarpedSize): PixelImage {
  checkPixels(image);
  checkArgument('warpImage', 'matrix', matrix, 'numbers');
  checkArgument('warpImage', 'size', size, 'object');
  const { width, height } = size;
  checkCount('warpImage', 'size.width', width, 1);
  checkCount('warpImage', 'size.height', height, 1);
  if (matrix.length !== 9)
    throw new DataError('argument', `warpImage: matrix has ${matrix.length} numbers; give nine, row by row`);
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = matrix;
  const outside = meanColour(image);
  const data = new Uint8Array(3 * width * height);
  for (let row = 0, at = 0; row < height; row++) {
    const v = row + 0.5;
    for (let column = 0; column < width; column++, at += 3) {
      const u = column + 0.5;
      const w = g * u + h * v + i;
      const x = (a * u + b * v + c) / w;
      const y = (d * u + e * v + f) / w;
      if (w > 0 && x >= 0 && y >= 0 && x <= image.width && y <= image.height) sample(image, x - 0.5, y - 0.5, data, at);
      else data.set(outside, at);
    }
  }
  return { width, height, channels: 3, data };
}

/** The colour at `(x, y)`, counted from the centre of the first pixel; up to half a pixel outside is the edge. */
function sample(
  { width, height, channels, data }: PixelImage,
  x: number,
  y: number,
  out: Uint8Array,
  at: number,
): void {
  const left = Math.max(0, Math.floor(x));
  const top = Math.max(0, Math.floor(y));
  const across = left < width - 1 ? Math.max(0, x - left) : 0;
  const down = top < height - 1 ? Math.max(0, y - top) : 0;
  const first = (Math.min(top, height - 1) * width + Math.min(left, width - 1)) * channels;
  const right = across > 0 ? channels : 0;
  const below = down > 0 ? width * channels : 0;
  for (let k = 0; k < 3; k++) {
    const here = first + k;
    const upper = data[here]! * (1 - across) + data[here + right]! * across;
    const lower = data[here + below]! * (1 - across) + data[here + below + right]! * across;
    out[at + k] = upper * (1 - down) + lower * down + 0.5;
  }
}

function meanColour({ width, height, channels, data }: PixelImage): [red: number, green: number, blue: number] {
  const sums: [number, number, number] = [0, 0, 0];
  for (let at = 0; at < data.length; at += channels) {
    sums[0] += data[at]!;
    sums[1] += data[at + 1]!;
    sums[2] += data[at + 2]!;
  }
  const mean = (sum: number): number => Math.round(sum / (width * height));
  return [mean(sums[0]), mean(sums[1]), mean(sums[2])];
}
