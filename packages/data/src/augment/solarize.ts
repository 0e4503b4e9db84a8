/** Inverts what is bright, one of the augmentations. */
import { checkArgument } from '../errors';

/** Inverts every channel value at or above `threshold`: `v -> 255 - v`, in place. */
export function solarize(pixels: Uint8Array, threshold: number): void {
  checkArgument('solarize', 'pixels', pixels, 'Uint8Array');
  checkArgument('solarize', 'threshold', threshold, 'number');
  for (let i = 0; i < pixels.length; i++) if (pixels[i]! >= threshold) pixels[i] = 255 - pixels[i]!;
}
