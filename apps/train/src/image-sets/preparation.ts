/**
 * From a decoded image to the model's input. `crop`: shorter side resized, centre cut out, as for classification. `squash`: the whole image resized to a
 * square, as the dense evaluations do so that image and mask stay in step. Resizing is PIL's bicubic, masks take the nearest pixel.
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
  | { readonly kind: 'squash'; readonly size: number };

/** For records and cache keys. */
export const describePreparation = (preparation: Preparation): string =>
  preparation.kind === 'crop'
    ? `shorter side ${preparation.resize} bicubic, centre ${preparation.size}, ImageNet mean/std`
    : `squashed to ${preparation.size} x ${preparation.size} bicubic, mask nearest, ImageNet mean/std`;

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
  else normalise(resizeBicubic(image, size, size).data, normalisationTable(IMAGENET_NORMALISATION), output);
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
