/** Luma and grey pixels as PIL's mode L has them: ITU-R 601 weights in 16-bit fixed point, rounded. */
import { checkArgument } from '../errors';

/** Luma of one pixel, in levels. */
export function luma(red: number, green: number, blue: number): number {
  return (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;
}

/** Replaces every pixel by its luma in three equal channels, in place. `pixels` is RGB `[n, 3]`. */
export function grayscale(pixels: Uint8Array): void {
  checkArgument('grayscale', 'pixels', pixels, 'Uint8Array');
  for (let i = 0; i < pixels.length; i += 3) {
    pixels[i] = pixels[i + 1] = pixels[i + 2] = luma(pixels[i]!, pixels[i + 1]!, pixels[i + 2]!);
  }
}

/** Mean luma rounded half up to a level: the grey that contrast is measured against. */
export function meanLuma(pixels: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < pixels.length; i += 3) sum += luma(pixels[i]!, pixels[i + 1]!, pixels[i + 2]!);
  return Math.floor(sum / (pixels.length / 3) + 0.5);
}
