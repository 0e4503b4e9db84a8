/**
 * Colour jitter with torchvision's meaning on PIL images: four adjustments, in an order of each view's own.
 *
 * Brightness, contrast and saturation blend towards a degenerate image `g` (black; the image's mean luma; each pixel's
 * luma): `v -> g + f (v - g)` in single precision, clamped, then truncated to 8 bits. Factors above 1 extrapolate. Hue is
 * turned in 8-bit HSV. Every step works on the previous step's bytes.
 */

import { checkArgument } from '../errors';
import { grayscale, luma, meanLuma } from './grayscale';
import { rotateHue } from './hue';

/** The four adjustments, by name. */
export const JITTER_STEPS = ['brightness', 'contrast', 'saturation', 'hue'] as const;
export type JitterStep = (typeof JITTER_STEPS)[number];

/** Parameters of one jitter: plain data. */
export interface Jitter {
  /** The adjustments in the order in which they are applied. */
  order: JitterStep[];
  /** Factors; 1 changes nothing. */
  brightness: number;
  contrast: number;
  saturation: number;
  /** Turns, in `[-0.5, 0.5]`; 0 still goes through 8-bit HSV. */
  hue: number;
}

const float = Math.fround;

/** `degenerate + factor * (value - degenerate)` as PIL blends bytes; `factor` is single precision. */
function blend(degenerate: number, value: number, factor: number): number {
  const mixed = float(degenerate + float(factor * (value - degenerate)));
  return mixed <= 0 ? 0 : mixed >= 255 ? 255 : Math.trunc(mixed);
}

/** Blends RGB `[n, 3]` away from one grey level, in place. */
function blendWithLevel(pixels: Uint8Array, level: number, factor: number): void {
  const table = Uint8Array.from({ length: 256 }, (_, value) => blend(level, value, float(factor)));
  for (let i = 0; i < pixels.length; i++) pixels[i] = table[pixels[i]!]!;
}

/** Scales brightness of RGB `[n, 3]`, in place. */
export function adjustBrightness(pixels: Uint8Array, factor: number): void {
  blendWithLevel(pixels, 0, factor);
}

/** Scales the distance from the mean luma of RGB `[n, 3]`, in place. */
export function adjustContrast(pixels: Uint8Array, factor: number): void {
  blendWithLevel(pixels, meanLuma(pixels), factor);
}

/** Scales the distance from each pixel's luma of RGB `[n, 3]`, in place. */
export function adjustSaturation(pixels: Uint8Array, factor: number): void {
  const single = float(factor);
  if (single === 1) return;
  if (single === 0) {
    grayscale(pixels);
    return;
  }
  for (let i = 0; i < pixels.length; i += 3) {
    const red = pixels[i]!;
    const green = pixels[i + 1]!;
    const blue = pixels[i + 2]!;
    const gray = luma(red, green, blue);
    pixels[i] = blend(gray, red, single);
    pixels[i + 1] = blend(gray, green, single);
    pixels[i + 2] = blend(gray, blue, single);
  }
}

const ADJUST = {
  brightness: adjustBrightness,
  contrast: adjustContrast,
  saturation: adjustSaturation,
  hue: rotateHue,
} as const;

/** Applies the adjustments of `jitter` to RGB `[n, 3]` in their order, in place. */
export function colorJitter(pixels: Uint8Array, jitter: Jitter): void {
  checkArgument('colorJitter', 'pixels', pixels, 'Uint8Array');
  checkArgument('colorJitter', 'jitter', jitter, 'object');
  checkArgument('colorJitter', 'jitter.order', jitter.order, 'strings');
  for (const step of jitter.order) ADJUST[step](pixels, jitter[step]);
}
