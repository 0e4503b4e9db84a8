/**
 * Pictures are plain data: 8-bit, row-major, no padding, `data` of shape [H, W, 3]. Everything that draws takes and
 * returns them, so that they come from any decoder and go to any encoder.
 */
import { checkIndex, checkLength, VizError } from '../errors';

/** An 8-bit sRGB picture, as `@franca/data` decodes it. What is drawn has 3 channels. */
export interface PixelImage {
  readonly width: number;
  readonly height: number;
  /** 3 is RGB; 4 is RGB and a fourth byte that is ignored. */
  readonly channels: 3 | 4;
  /** [height, width, channels], row-major. */
  readonly data: Uint8Array;
}

/** Normalised pictures of one size, as `@franca/data` prepares them and a model of `@franca/vit` takes them. */
export interface ImageBatch {
  /** [B, 3, H, W]. */
  readonly data: Float32Array;
  readonly shape: readonly [B: number, C: number, H: number, W: number];
}

/** A colour with parts 0..255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** Per-channel statistics, in units of 0..1, of the normalisation that a network's input went through: `@franca/data` has the same. */
export interface Normalisation {
  readonly mean: Rgb;
  readonly std: Rgb;
}

/** The statistics of ImageNet as torchvision has them: those by which `@franca/data` normalises, so that its pictures come back. */
export const IMAGENET_NORMALISATION: Normalisation = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** A picture from its bytes [H, W, 3]; throws `shape` when their number does not fit. */
export function rgbImage(width: number, height: number, data: Uint8Array): PixelImage {
  checkLength('the picture', data, [height, width, 3]);
  return { width, height, channels: 3, data };
}

/** A picture with its three colours alone, itself where it has no more. Throws `shape` when its bytes do not fit its size and channels. */
export function toRgb(image: PixelImage): PixelImage {
  const { width, height, channels, data } = image;
  if (channels !== 3 && channels !== 4)
    throw new VizError('shape', `a picture of ${channels} channels; give 3 (RGB), or 4 (the fourth is ignored)`);
  checkLength('the picture', data, [height, width, channels]);
  if (channels === 3) return image;
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < rgb.length; i++) rgb[i] = data[Math.floor(i / 3) * 4 + (i % 3)]!;
  return rgbImage(width, height, rgb);
}

/** A picture of one colour. */
export function filledImage(width: number, height: number, colour: Rgb): PixelImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = colour[i % 3]!;
  return rgbImage(width, height, data);
}

/**
 * The picture behind a network's input: undoes `(x - mean) / std` of image `index` of a batch, clips to 0..1 and rounds to bytes.
 * Throws `shape` when the data do not fit their shape, `options` for an image that is not there.
 */
export function imageFromTensor(
  { data, shape }: ImageBatch,
  index = 0,
  normalisation: Normalisation = IMAGENET_NORMALISATION,
): PixelImage {
  const [count, channels, height, width] = shape;
  checkLength('the image batch', data, shape);
  if (channels !== 3) throw new VizError('shape', `images of ${channels} channels; a picture needs 3`);
  checkIndex('the image', index, count);
  const pixels = height * width;
  const bytes = new Uint8Array(pixels * 3);
  for (let channel = 0; channel < 3; channel++) {
    const [mean, std] = [normalisation.mean[channel]!, normalisation.std[channel]!];
    const plane = (index * 3 + channel) * pixels;
    for (let p = 0; p < pixels; p++) bytes[p * 3 + channel] = toByte(data[plane + p]! * std + mean);
  }
  return rgbImage(width, height, bytes);
}

/** 0..1 to 0..255, clipped and rounded; NaN becomes 0. */
export function toByte(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value || 0)) * 255);
}
