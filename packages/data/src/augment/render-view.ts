/**
 * Applies a view's parameters to pixels, on the CPU.
 *
 * Crop and bicubic resize, flip, colour jitter, grayscale, blur, solarize, each on 8-bit values as the official pipeline
 * does with PIL and torchvision. Pure: image and record determine every byte.
 */

import { DataError } from '../errors';
import type { PixelImage } from '../images/image';
import { type Box, resizeBicubic } from './bicubic';
import { colorJitter } from './color-jitter';
import { gaussianBlur } from './gaussian-blur';
import { grayscale } from './grayscale';
import type { PlacedView } from './multi-crop';
import { IMAGENET_NORMALISATION, type Normalisation, normalisationTable, normalise } from './normalise';
import { solarize } from './solarize';
import type { ViewParams } from './view-params';

/**
 * Renders one view to bytes.
 * @returns RGB `[size, size, 3]`
 * @throws DataError bad-argument when the crop does not lie inside the image
 */
export function renderView(image: PixelImage, params: ViewParams): Uint8Array {
  checkBox(params.box, image);
  const { size } = params;
  const pixels = resizeBicubic(image, size, size, { box: params.box, flip: params.flip });
  if (params.jitter) colorJitter(pixels, params.jitter);
  if (params.grayscale) grayscale(pixels);
  const blurred = params.blurSigma === null ? pixels : gaussianBlur(pixels, size, size, params.blurSigma);
  if (params.solarize !== null) solarize(blurred, params.solarize);
  return blurred;
}

/**
 * Renders views of one size into their slots of a batch.
 * @param output `[slots, 3, size, size]`
 * @throws DataError bad-argument when a slot lies outside `output`
 */
export function renderViews(
  images: readonly PixelImage[],
  views: readonly PlacedView[],
  output: Float32Array,
  normalisation: Normalisation = IMAGENET_NORMALISATION,
): Float32Array {
  const table = normalisationTable(normalisation);
  for (const { image, slot, params } of views) {
    const length = 3 * params.size ** 2;
    if (!images[image] || (slot + 1) * length > output.length) {
      throw new DataError(
        'bad-argument',
        `view of image ${image} for slot ${slot}: there are ${images.length} images and ${output.length / length} slots`,
      );
    }
    normalise(renderView(images[image], params), table, output.subarray(slot * length, (slot + 1) * length));
  }
  return output;
}

/** @throws DataError bad-argument when the box is empty or reaches outside the image */
export function checkBox(box: Box, image: PixelImage): void {
  const { left, top, width, height } = box;
  const whole = [left, top, width, height].every(Number.isInteger);
  if (whole && left >= 0 && top >= 0 && width > 0 && height > 0) {
    if (left + width <= image.width && top + height <= image.height) return;
  }
  throw new DataError(
    'bad-argument',
    `crop ${JSON.stringify(box)} does not lie inside the ${image.width} x ${image.height} image; ` +
      'draw parameters with the size of the image they are for',
  );
}
