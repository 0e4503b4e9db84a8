/**
 * How well one mask of an object meets another: region similarity J and boundary accuracy F of DAVIS (Perazzi et al., 2016), as its tool for
 * DAVIS-2017 computes them.
 *
 * J is the intersection over the union, 1 where both masks are empty. For F the outline of a mask is every pixel that is unlike its right, lower or
 * lower right neighbour. Precision is the share of the predicted outline that lies within a disk of radius r around the true one, recall the
 * share of the true outline within r of the predicted one, with r = ceil(0.008 * diagonal of the picture), and F = 2 P R / (P + R). Where one mask alone
 * is empty F is 0, where both are 1.
 *
 * An outline is widened run by run: a run of pixels in one row becomes a longer run in each of the 2 r + 1 rows around it, so the cost follows the length of
 * outlines and not the area of disks.
 */
import { checkArgument, EvalsError } from '../errors';
import type { Extent } from '../numerics/bilinear';

/** Of the picture's diagonal: how far an outline may be off. */
const TOLERANCE = 0.008;

/**
 * Region similarity J of two masks of equal size; a pixel belongs to a mask where it is not 0.
 * @throws EvalsError `argument`, or `labels` for masks of unequal size
 */
export function regionSimilarity(truth: Uint8Array, predicted: Uint8Array): number {
  checkMasks('regionSimilarity', truth, predicted);
  let [both, either] = [0, 0];
  for (let i = 0; i < truth.length; i++) {
    both += Number(truth[i] !== 0 && predicted[i] !== 0);
    either += Number(truth[i] !== 0 || predicted[i] !== 0);
  }
  return either === 0 ? 1 : both / either;
}

/**
 * Boundary accuracy F of two masks of `size`, rows then columns; a pixel belongs to a mask where it is not 0.
 * @throws EvalsError `argument`, or `labels` for masks of another size
 */
export function boundaryAccuracy(truth: Uint8Array, predicted: Uint8Array, size: Extent): number {
  checkMasks('boundaryAccuracy', truth, predicted);
  checkSize('boundaryAccuracy', truth, size);
  const radius = Math.ceil(TOLERANCE * Math.hypot(...size));
  const [outline, found] = [outlineOf(binary(truth), size), outlineOf(binary(predicted), size)];
  const [length, foundLength] = [count(outline), count(found)];
  if (length === 0 || foundLength === 0) return length === foundLength ? 1 : 0;
  const precision = countBoth(found, widened(outline, size, radius)) / foundLength;
  const recall = countBoth(outline, widened(found, size, radius)) / length;
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
}

/**
 * The outline of a mask of `size`, 1 on it: pixels unlike their right, lower or lower right neighbour, on the last row and column only the one neighbour that
 * there is.
 * @throws EvalsError `argument`, or `labels` for a mask of another size
 */
export function boundaryMap(mask: Uint8Array, size: Extent): Uint8Array {
  checkSize('boundaryMap', mask, size);
  return outlineOf(binary(mask), size);
}

/** A mask of zeros and ones. */
function binary(mask: Uint8Array): Uint8Array {
  const ones = new Uint8Array(mask.length);
  for (let i = 0; i < mask.length; i++) ones[i] = mask[i] === 0 ? 0 : 1;
  return ones;
}

function outlineOf(mask: Uint8Array, [, cols]: Extent): Uint8Array {
  const outline = new Uint8Array(mask.length);
  const last = mask.length - cols;
  for (let row = 0; row < last; row += cols) {
    const corner = row + cols - 1;
    for (let i = row; i < corner; i++)
      outline[i] = (mask[i]! ^ mask[i + 1]!) | (mask[i]! ^ mask[i + cols]!) | (mask[i]! ^ mask[i + cols + 1]!);
    outline[corner] = mask[corner]! ^ mask[corner + cols]!;
  }
  for (let i = last; i < mask.length - 1; i++) outline[i] = mask[i]! ^ mask[i + 1]!;
  return outline;
}

/** Every pixel within `radius` of one that is set. */
function widened(outline: Uint8Array, [rows, cols]: Extent, radius: number): Uint8Array {
  const wide = new Uint8Array(outline.length);
  const reach = Array.from({ length: radius + 1 }, (_, dy) => Math.floor(Math.sqrt(radius ** 2 - dy ** 2)));
  for (let y = 0; y < rows; y++) {
    const row = outline.subarray(y * cols, (y + 1) * cols);
    for (let begin = row.indexOf(1), end = 0; begin >= 0; begin = row.indexOf(1, end)) {
      const zero = row.indexOf(0, begin);
      end = zero < 0 ? cols : zero;
      for (let to = Math.max(0, y - radius); to <= Math.min(rows - 1, y + radius); to++) {
        const dx = reach[Math.abs(to - y)]!;
        wide.fill(1, to * cols + Math.max(0, begin - dx), to * cols + Math.min(cols, end + dx));
      }
    }
  }
  return wide;
}

function count(map: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < map.length; i++) sum += map[i]!;
  return sum;
}

function countBoth(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! & b[i]!;
  return sum;
}

function checkMasks(what: string, truth: Uint8Array, predicted: Uint8Array): void {
  checkArgument(what, 'truth', truth, 'Uint8Array');
  checkArgument(what, 'predicted', predicted, 'Uint8Array');
  if (truth.length !== predicted.length)
    throw new EvalsError(
      'labels',
      `${what}: masks of ${truth.length} and ${predicted.length} pixels; give them one size`,
    );
}

function checkSize(what: string, mask: Uint8Array, size: Extent): void {
  checkArgument(what, 'mask', mask, 'Uint8Array');
  checkArgument(what, 'size', size, 'numbers');
  if (size.length !== 2 || size[0] * size[1] !== mask.length)
    throw new EvalsError(
      'labels',
      `${what}: a mask of ${mask.length} pixels is not of size [${size}], rows and columns`,
    );
}
