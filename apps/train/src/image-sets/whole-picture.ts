/** Whole pictures as a model's input, at their own size: normalised, then padded with zeros right and below to whole patches, as TokenCut and LOST do. */
import { IMAGENET_NORMALISATION, normalisationTable, normalise, type PixelImage } from '@franca/data';
import { fitImages, type ImageBatch } from '@franca/vit';

/** For records and cache keys. */
export const WHOLE_PICTURE = 'whole picture at its own size, ImageNet mean/std, zeros right and below to whole patches';

/** Rows and columns of patches of a picture once it is padded. */
export const paddedGrid = (
  { width, height }: { readonly width: number; readonly height: number },
  patchSize: number,
): [rows: number, columns: number] => [Math.ceil(height / patchSize), Math.ceil(width / patchSize)];

/** Normalised input [1, 3, rows * patchSize, columns * patchSize]. */
export function prepareWhole({ data, width, height }: PixelImage, patchSize: number): ImageBatch {
  const pixels = new Float32Array(3 * width * height);
  normalise(data, normalisationTable(IMAGENET_NORMALISATION), pixels);
  return fitImages({ data: pixels, shape: [1, 3, height, width] }, patchSize, 'pad');
}
