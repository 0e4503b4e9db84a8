/** Labels of pixels, and which of them a smaller mask takes: classes are names, so there is nothing to average. */

/** Labels of pixels, [height, width]. */
export interface PixelLabels {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/** Which pixel of a span an output pixel takes: the one under its centre, as PIL does, or under its first corner, as torch does on tensors. */
export type Nearest = 'centre' | 'corner';

/** The pixel of `span` that output pixel `at` of `size` takes. */
export const nearestPixel = (at: number, span: number, size: number, nearest: Nearest): number =>
  Math.floor(((at + (nearest === 'centre' ? 0.5 : 0)) * span) / size);

/** A squashed mask [size, size]. */
export function squashMask(
  { data, height, width }: PixelLabels,
  size: number,
  output: Uint8Array,
  nearest: Nearest = 'centre',
): void {
  const columns = Array.from({ length: size }, (_, x) => nearestPixel(x, width, size, nearest));
  for (let y = 0; y < size; y++) {
    const row = nearestPixel(y, height, size, nearest) * width;
    for (let x = 0; x < size; x++) output[y * size + x] = data[row + columns[x]!]!;
  }
}
