/**
 * Pictures are plain data: 8-bit RGB, row-major, no padding, `data` of shape [H, W, 3]. Everything that draws takes and
 * returns them, so that they come from any decoder and go to any encoder.
 */
import { checkLength } from '../errors';

/** An 8-bit sRGB picture: `data` is [height, width, 3], row-major. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A colour with parts 0..255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** Per-channel statistics of the normalisation that a network's input went through. */
export interface Normalisation {
  readonly mean: Rgb;
  readonly std: Rgb;
}

/** The statistics of ImageNet, in units of 0..1. */
export const IMAGENET_NORMALISATION: Normalisation = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** A picture from its bytes [H, W, 3]; throws `bad-shape` when their number does not fit. */
export function rgbImage(width: number, height: number, data: Uint8Array): RgbImage {
  checkLength('the picture', data, [height, width, 3]);
  return { width, height, data };
}

/** A picture of one colour. */
export function filledImage(width: number, height: number, colour: Rgb): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = colour[i % 3]!;
  return rgbImage(width, height, data);
}

/**
 * The picture behind a network's input: undoes `(x - mean) / std`, clips to 0..1 and rounds to bytes.
 * `data` is [3, H, W]; throws `bad-shape` when its length does not fit.
 */
export function imageFromTensor(
  data: Float32Array,
  size: { readonly width: number; readonly height: number },
  normalisation: Normalisation = IMAGENET_NORMALISATION,
): RgbImage {
  const pixels = size.width * size.height;
  checkLength('the input tensor', data, [3, size.height, size.width]);
  const bytes = new Uint8Array(pixels * 3);
  for (let channel = 0; channel < 3; channel++) {
    const mean = normalisation.mean[channel]!;
    const std = normalisation.std[channel]!;
    for (let p = 0; p < pixels; p++) {
      bytes[p * 3 + channel] = toByte(data[channel * pixels + p]! * std + mean);
    }
  }
  return rgbImage(size.width, size.height, bytes);
}

/** 0..1 to 0..255, clipped and rounded; NaN becomes 0. */
export function toByte(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value || 0)) * 255);
}
