/**
 * PIL's `GaussianBlur(sigma)`, to the bit: the blur of RASA's training and of the original DINO. Three extended box blurs
 * per axis (Gwosdek et al., "Theoretical foundations of Gaussian convolution by extended box filtering", SSVM 2011).
 *
 * A box of radius `r + a` weighs `2 r + 1` pixels fully and the next one on each side by the fraction, in 24-bit fixed
 * point. Edge pixels are repeated; every pass is rounded to bytes. Three boxes together have the Gaussian's variance.
 */
import { checkArgument } from '../errors';

const PASSES = 3;
const ONE = 1 << 24;
const float = Math.fround;

/** Radius of the box whose `PASSES`-fold convolution has standard deviation `sigma` (Gwosdek et al., eq. 7, 11, 14). */
function boxRadius(sigma: number): number {
  const variance = float((sigma * sigma) / PASSES);
  const length = float(Math.sqrt(12 * variance + 1));
  const whole = Math.floor((length - 1) / 2);
  const excess = float((2 * whole + 1) * float(whole * (whole + 1) - 3 * variance));
  return float(whole + float(excess / (6 * (variance - (whole + 1) * (whole + 1)))));
}

/** One box pass along lines of `count` pixels whose neighbours are `step` apart, starting at `start`. */
function boxLine(from: Uint8Array, to: Uint8Array, start: number, count: number, step: number, radius: number): void {
  const whole = Math.trunc(radius);
  const weight = Math.trunc(float(ONE / float(radius * 2 + 1)));
  const edgeWeight = Math.floor((ONE - (2 * whole + 1) * weight) / 2);
  const at = (index: number): number => from[start + Math.min(Math.max(index, 0), count - 1) * step]!;
  let sum = 0;
  for (let x = -whole; x <= whole; x++) sum += at(x);
  for (let x = 0; x < count; x++) {
    const fixed = sum * weight + (at(x - whole - 1) + at(x + whole + 1)) * edgeWeight;
    to[start + x * step] = Math.floor((fixed + ONE / 2) / ONE);
    sum += at(x + whole + 1) - at(x - whole);
  }
}

/**
 * Blurs an image.
 * @param pixels RGB `[height, width, 3]`
 * @param sigma standard deviation in pixels
 * @returns RGB `[height, width, 3]`
 */
export function pilGaussianBlur(pixels: Uint8Array, width: number, height: number, sigma: number): Uint8Array {
  checkArgument('pilGaussianBlur', 'pixels', pixels, 'Uint8Array');
  checkArgument('pilGaussianBlur', 'sigma', sigma, 'number');
  const radius = boxRadius(sigma);
  let source = pixels;
  for (let pass = 0; pass < 2 * PASSES; pass++) {
    const target = new Uint8Array(pixels.length);
    const across = pass < PASSES;
    for (let line = 0; line < (across ? height : width); line++) {
      for (let channel = 0; channel < 3; channel++) {
        const start = (across ? line * width : line) * 3 + channel;
        boxLine(source, target, start, across ? width : height, across ? 3 : width * 3, radius);
      }
    }
    source = target;
  }
  return source;
}
