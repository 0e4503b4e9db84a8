/**
 * Preprocessing for inference: shorter side resized by PIL's bicubic filter, centre cut out, normalised.
 *
 * Sizes follow torchvision: the longer side is `trunc(resize * long / short)` and the crop's offset `(side - crop) / 2`
 * rounded half to even. Only the pixels of the crop are computed.
 */

import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkCount, checkOptions, DataError } from '../errors';
import type { ImageBatch, PixelImage } from '../images/image';
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
  checkArgument('resizedSize', 'image', image, 'object');
  checkCount('resizedSize', 'resize', resize, 1);
  checkCount('resizedSize', 'width', image.width, 1);
  checkCount('resizedSize', 'height', image.height, 1);
  const { width, height } = image;
  if (width <= height) return { width: resize, height: Math.trunc((resize * height) / width) };
  return { width: Math.trunc((resize * width) / height), height: resize };
}

/**
 * Resizes and crops, still in bytes.
 * @returns RGB `crop x crop`
 * @throws DataError bad-argument unless `0 < crop <= resize`
 */
export function resizeAndCrop(image: PixelImage, preprocessing: Preprocessing): PixelImage {
  const { resize, crop } = checkPreprocessing(preprocessing);
  const { width, height } = resizedSize(image, resize);
  const left = roundHalfEven((width - crop) / 2);
  const top = roundHalfEven((height - crop) / 2);
  return resizeBicubic(image, width, height, { window: { left, top, width: crop, height: crop } });
}

/**
 * Images as an evaluation feeds them to the backbone: one, or several as one batch.
 * @returns normalised `[B, 3, crop, crop]`, which is what a model takes
 * @throws DataError bad-argument unless `0 < crop <= resize`, and where there is no image
 */
export function preprocess(
  images: PixelImage | readonly PixelImage[],
  preprocessing: Preprocessing = PREPROCESS_224,
  normalisation: Normalisation = IMAGENET_NORMALISATION,
): ImageBatch {
  if (!Array.isArray(images)) checkArgument('preprocess', 'images', images, 'object');
  const all = 'width' in images ? [images] : images;
  checkArgument('preprocess', 'images', all, 'list');
  if (all.length === 0) throw new DataError('bad-argument', 'there is no image to preprocess: give at least one');
  const { crop } = checkPreprocessing(preprocessing);
  const length = 3 * crop ** 2;
  const data = new Float32Array(all.length * length);
  for (const [i, image] of all.entries())
    preprocessInto(data.subarray(i * length, (i + 1) * length), image, preprocessing, normalisation);
  return { data, shape: [all.length, 3, crop, crop] };
}

/**
 * `preprocess` of one image into memory that is there: a place in the batch of a loader.
 * @param output receives `[3, crop, crop]`
 * @throws DataError bad-argument as `preprocess`, and for an output of another length
 */
export function preprocessInto(
  output: Float32Array,
  image: PixelImage,
  preprocessing: Preprocessing = PREPROCESS_224,
  normalisation: Normalisation = IMAGENET_NORMALISATION,
): void {
  checkArgument('preprocessInto', 'output', output, 'Float32Array');
  normalise(resizeAndCrop(image, preprocessing).data, normalisationTable(normalisation), output);
}

const PREPROCESSING: OptionKinds<Preprocessing> = { resize: 'number', crop: 'number' };

function checkPreprocessing(preprocessing: Preprocessing): Preprocessing {
  checkOptions('preprocessing', preprocessing, PREPROCESSING);
  const { resize, crop } = preprocessing;
  if (!(Number.isInteger(resize) && Number.isInteger(crop) && crop > 0 && crop <= resize)) {
    throw new DataError('bad-argument', `cannot cut ${crop} px out of ${resize} px: give integers with crop <= resize`);
  }
  return { resize, crop };
}
