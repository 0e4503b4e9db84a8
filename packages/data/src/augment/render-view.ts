/**
 * Applies a view's parameters to pixels, on the CPU.
 *
 * Crop and bicubic resize, flip, colour jitter, grayscale, blur, solarize, each on 8-bit values as the official pipeline
 * does with PIL and torchvision. Pure: image and record determine every byte.
 */

import { checkArgument, DataError } from '../errors';
import { checkPixels, type ImageBatch, type PixelImage } from '../images/image';
import { type Box, resizeBicubic } from './bicubic';
import { colorJitter } from './color-jitter';
import { gaussianBlur } from './gaussian-blur';
import { grayscale } from './grayscale';
import type { PlacedView } from './multi-crop';
import { IMAGENET_NORMALISATION, type Normalisation, normalisationTable, normalise } from './normalise';
import { solarize } from './solarize';
import type { ViewParams } from './view-params';

/**
 * Renders one view, still in bytes.
 * @returns RGB `size x size`
 * @throws DataError bad-argument when the crop does not lie inside the image
 */
export function renderView(image: PixelImage, params: ViewParams): PixelImage {
  checkPixels(image);
  checkArgument('renderView', 'params', params, 'object');
  checkBox(params.box, image);
  const { size } = params;
  const { data: pixels } = resizeBicubic(image, size, size, { box: params.box, flip: params.flip });
  if (params.jitter) colorJitter(pixels, params.jitter);
  if (params.grayscale) grayscale(pixels);
  const blurred = params.blurSigma === null ? pixels : gaussianBlur(pixels, size, size, params.blurSigma);
  if (params.solarize !== null) solarize(blurred, params.solarize);
  return { width: size, height: size, channels: 3, data: blurred };
}

/**
 * Renders views of one size as one batch, each in its slot.
 * @returns normalised `[views, 3, size, size]`, which is what a model takes
 * @throws DataError bad-argument where there is no view or views differ in size, and as `renderView`
 */
export function renderViews(
  images: readonly PixelImage[],
  views: readonly PlacedView[],
  normalisation: Normalisation = IMAGENET_NORMALISATION,
): ImageBatch {
  checkArgument('renderViews', 'images', images, 'list');
  checkArgument('renderViews', 'views', views, 'list');
  const size = views[0]?.params?.size;
  if (size === undefined) throw new DataError('bad-argument', 'there is no view to render: give at least one');
  const data = new Float32Array(views.length * 3 * size ** 2);
  renderViewsInto(data, images, views, normalisation);
  return { data, shape: [views.length, 3, size, size] };
}

/**
 * `renderViews` into memory that is there: the input of a training step.
 * @param output `[slots, 3, size, size]`; slots that no view names stay as they are
 * @throws DataError bad-argument when a slot lies outside `output`, or views differ in size
 */
export function renderViewsInto(
  output: Float32Array,
  images: readonly PixelImage[],
  views: readonly PlacedView[],
  normalisation: Normalisation = IMAGENET_NORMALISATION,
): void {
  checkArgument('renderViewsInto', 'output', output, 'Float32Array');
  checkArgument('renderViewsInto', 'images', images, 'list');
  checkArgument('renderViewsInto', 'views', views, 'list');
  const table = normalisationTable(normalisation);
  for (const { image, slot, params } of views) {
    const length = 3 * params.size ** 2;
    if (!images[image] || (slot + 1) * length > output.length) {
      throw new DataError(
        'bad-argument',
        `view of image ${image} for slot ${slot}: there are ${images.length} images and ${output.length / length} slots`,
      );
    }
    if (params.size !== views[0]!.params.size)
      throw new DataError('bad-argument', `views of ${views[0]!.params.size} and ${params.size} px in one batch`);
    normalise(renderView(images[image], params).data, table, output.subarray(slot * length, (slot + 1) * length));
  }
}

/** @throws DataError bad-argument when the box is empty or reaches outside the image */
export function checkBox(box: Box, image: PixelImage): void {
  checkArgument('a view', 'box', box, 'object');
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
