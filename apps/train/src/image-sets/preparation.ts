/**
 * From a decoded image to the model's input. `crop`: shorter side resized, centre cut out, as for classification. `squash`: the whole image resized to a
 * square, as the dense evaluations do so that image and mask stay in step. `pad-square`: made square by white right and below, then resized, which keeps its
 * proportions and the places of its key points. Resizing is PIL's bicubic, masks take the nearest pixel.
 */
import {
  IMAGENET_NORMALISATION,
  normalisationTable,
  normalise,
  type PixelImage,
  preprocessInto,
  resizeBicubic,
} from '@franca/data';

export type Preparation =
  | { readonly kind: 'crop'; readonly resize: number; readonly size: number }
  | { readonly kind: 'squash'; readonly size: number }
  | {
      readonly kind: 'pad-square';
      /** Side of the input. */
      readonly size: number;
      /** Side that the square is resized to; what is left of the input is zeros around it. */
      readonly side: number;
    };

/** For records and cache keys. */
export function describePreparation(preparation: Preparation): string {
  const { kind, size } = preparation;
  if (kind === 'crop') return `shorter side ${preparation.resize} bicubic, centre ${size}, ImageNet mean/std`;
  if (kind === 'squash') return `squashed to ${size} x ${size} bicubic, mask nearest, ImageNet mean/std`;
  const { side } = preparation;
  const margin = side === size ? '' : `, zeros around to ${size} x ${size}`;
  return `padded right and below with 255 to a square, ${side} x ${side} bicubic, ImageNet mean/std${margin}`;
}

/** Side of the input that a model is evaluated at by default: what its positions are made for, at most 224 px, in whole patches. */
export function defaultSize({ imgSize, patchSize }: { imgSize: number; patchSize: number }): number {
  return Math.max(patchSize, Math.floor(Math.min(imgSize, 224) / patchSize) * patchSize);
}

/** The usual protocol at any size: 256 for 224. */
export const centreCrop = (size: number): Preparation & { readonly kind: 'crop' } => ({
  kind: 'crop',
  resize: Math.round((size * 8) / 7),
  size,
});

/** Normalised input [3, size, size], written to `output`. */
export function prepare(image: PixelImage, preparation: Preparation, output: Float32Array): void {
  const { size } = preparation;
  if (preparation.kind === 'crop') preprocessInto(output, image, { resize: preparation.resize, crop: size });
  else if (preparation.kind === 'pad-square') padSquare(image, preparation, output);
  else normalise(resizeBicubic(image, size, size).data, normalisationTable(IMAGENET_NORMALISATION), output);
}

function padSquare(
  image: PixelImage,
  { size, side }: Preparation & { kind: 'pad-square' },
  output: Float32Array,
): void {
  const inner = new Float32Array(3 * side * side);
  normalise(resizeBicubic(square(image), side, side).data, normalisationTable(IMAGENET_NORMALISATION), inner);
  output.fill(0);
  const margin = Math.floor((size - side) / 2);
  for (let row = 0; row < 3 * side; row++) {
    const [channel, y] = [Math.floor(row / side), row % side];
    output.set(inner.subarray(row * side, (row + 1) * side), (channel * size + margin + y) * size + margin);
  }
}

/** The picture at the top left of a white square of its longer side. */
function square({ width, height, channels, data }: PixelImage): PixelImage {
  const longer = Math.max(width, height);
  if (width === height) return { width, height, channels, data };
  const padded = new Uint8Array(longer * longer * channels).fill(255);
  for (let y = 0; y < height; y++)
    padded.set(data.subarray(y * width * channels, (y + 1) * width * channels), y * longer * channels);
  return { width: longer, height: longer, channels, data: padded };
}

/** Labels of pixels, [height, width]. */
export interface PixelLabels {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/** A squashed mask [size, size]: each pixel takes the label under its centre. */
export function squashMask({ data, height, width }: PixelLabels, size: number, output: Uint8Array): void {
  const columns = Array.from({ length: size }, (_, x) => Math.floor(((x + 0.5) * width) / size));
  for (let y = 0; y < size; y++) {
    const row = Math.floor(((y + 0.5) * height) / size) * width;
    for (let x = 0; x < size; x++) output[y * size + x] = data[row + columns[x]!]!;
  }
}
