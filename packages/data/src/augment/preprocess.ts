/**
 * Preprocessing for inference: shorter side resized by PIL's bicubic filter, centre cut out, normalised.
 *
 * Sizes follow torchvision: the longer side is `trunc(resize * long / short)` and the crop's offset `(side - crop) / 2`
 * rounded half to even. Only the pixels of the crop are computed.
 */

import { DataError } from '../errors';
import type { PixelImage } from '../images/image';
import { resizeBicubic } from './bicubic';
import { IMAGENET_NORMALISATION, type Normalisation, normalisationTable, normalise } from './normalise';
import { roundHalfEven } from './round-half-even';

export interface Preprocessing {
  /** Length of the shorter side after resizing, in pixels. */
  resize: number;
  /** Side of the central square that is kept. */
  crop: number;
}

/** The usual ImageNet protocol: 256, then the central 224. */
export const PREPROCESS_224: Readonly<Preprocessing> = { resize: 256, crop: 224 };

/** High resolution: 518 = 37 patches of 14, nothing cut off the shorter side. */
export const PREPROCESS_518: Readonly<Preprocessing> = { resize: 518, crop: 518 };

/** Size after resizing the shorter side to `resize`. */
export function resizedSize(
  image: { width: number; height: number },
  resize: number,
): { width: number; height: number } {
  const { width, height } = image;
  if (width <= height) return { width: resize, height: Math.trunc((resize * height) / width) };
  return { width: Math.trunc((resize * width) / height), height: resize };
}

/**
 * Resizes and crops to bytes.
 * @returns RGB `[crop, crop, 3]`
 * @throws DataError bad-argument unless `0 < crop <= resize`
 */
export function resizeAndCrop(image: PixelImage, { resize, crop }: Preprocessing): Uint8Array {
  if (!(Number.isInteger(resize) && Number.isInteger(crop) && crop > 0 && crop <= resize)) {
    throw new DataError('bad-argument', `cannot cut ${crop} px out of ${resize} px: give integers with crop <= resize`);
  }
  const { width, height } = resizedSize(image, resize);
  const left = roundHalfEven((width - crop) / 2);
  const top = roundHalfEven((height - crop) / 2);
  return resizeBicubic(image, width, height, { window: { left, top, width: crop, height: crop } });
}

/**
 * An image as an evaluation feeds it to the backbone.
 * @returns `[3, crop, crop]`, written to `output` where given
 */
export function preprocess(
  image: PixelImage,
  preprocessing: Preprocessing = PREPROCESS_224,
  normalisation: Normalisation = IMAGENET_NORMALISATION,
  output: Float32Array = new Float32Array(3 * preprocessing.crop ** 2),
): Float32Array {
  return normalise(resizeAndCrop(image, preprocessing), normalisationTable(normalisation), output);
}
