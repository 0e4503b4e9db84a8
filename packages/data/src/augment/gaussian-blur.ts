/**
 * Gaussian blur of 8-bit images as torchvision's `gaussian_blur`, the blur of the official augmentation.
 *
 * The kernel is `k x k`, the outer product of `exp(-x^2 / 2 sigma^2)` normalised to sum 1; borders are reflected without
 * repeating the edge pixel; the sum is in single precision, rounded to bytes once at the end. Computed here as two
 * one-dimensional passes with nothing rounded in between: sums differ from the two-dimensional kernel's by a few units in
 * the last place, so a byte differs (by one) only at a tie.
 */
import { checkArgument } from '../errors';

/** Half width of the kernel in the official augmentation: 9 x 9, whatever the size of the view. */
export const BLUR_RADIUS = 4;

/** Normalised weights at offsets `0..radius`; the kernel is symmetric and `2 * radius + 1` wide. */
export function gaussianKernel(sigma: number, radius: number): Float32Array {
  const weights = Float64Array.from({ length: radius + 1 }, (_, x) => Math.exp(-0.5 * (x / sigma) ** 2));
  const sum = 2 * weights.reduce((total, weight) => total + weight, 0) - weights[0]!;
  return Float32Array.from(weights, (weight) => weight / sum);
}

/** Index reflected into `[0, size)` about the end pixels; needs `size > radius`. */
function reflect(index: number, size: number): number {
  const inside = Math.abs(index);
  return inside < size ? inside : 2 * (size - 1) - inside;
}

/**
 * Blurs an image.
 * @param pixels RGB `[height, width, 3]`
 * @param sigma standard deviation in pixels
 * @param radius half width of the kernel; both sides of the image must be larger
 * @returns RGB `[height, width, 3]`
 */
export function gaussianBlur(
  pixels: Uint8Array,
  width: number,
  height: number,
  sigma: number,
  radius: number = BLUR_RADIUS,
): Uint8Array {
  checkArgument('gaussianBlur', 'pixels', pixels, 'Uint8Array');
  checkArgument('gaussianBlur', 'sigma', sigma, 'number');
  const kernel = gaussianKernel(sigma, radius);
  return blurDown(blurAcross(pixels, width, height, kernel), width, height, kernel);
}

function blurAcross(pixels: Uint8Array, width: number, height: number, kernel: Float32Array): Float32Array {
  const radius = kernel.length - 1;
  const output = new Float32Array(pixels.length);
  const padded = new Uint8Array((width + 2 * radius) * 3);
  const origin = Array.from({ length: width + 2 * radius }, (_, x) => reflect(x - radius, width) * 3);
  for (let y = 0, to = 0; y < height; y++) {
    const row = y * width * 3;
    for (let x = 0, i = 0; x < origin.length; x++, i += 3) {
      const from = row + origin[x]!;
      padded[i] = pixels[from]!;
      padded[i + 1] = pixels[from + 1]!;
      padded[i + 2] = pixels[from + 2]!;
    }
    for (let x = 0, i = radius * 3; x < width; x++, i += 3, to += 3) {
      let red = kernel[0]! * padded[i]!;
      let green = kernel[0]! * padded[i + 1]!;
      let blue = kernel[0]! * padded[i + 2]!;
      for (let t = 1, left = i - 3, right = i + 3; t <= radius; t++, left -= 3, right += 3) {
        const weight = kernel[t]!;
        red += weight * (padded[left]! + padded[right]!);
        green += weight * (padded[left + 1]! + padded[right + 1]!);
        blue += weight * (padded[left + 2]! + padded[right + 2]!);
      }
      output[to] = red;
      output[to + 1] = green;
      output[to + 2] = blue;
    }
  }
  return output;
}

function blurDown(rows: Float32Array, width: number, height: number, kernel: Float32Array): Uint8Array {
  const radius = kernel.length - 1;
  const stride = width * 3;
  const output = new Uint8Array(rows.length);
  const above = new Int32Array(radius + 1);
  const below = new Int32Array(radius + 1);
  for (let y = 0, to = 0; y < height; y++) {
    for (let t = 0; t <= radius; t++) {
      above[t] = reflect(y - t, height) * stride;
      below[t] = reflect(y + t, height) * stride;
    }
    for (let x = 0; x < stride; x += 3, to += 3) {
      const center = y * stride + x;
      let red = kernel[0]! * rows[center]!;
      let green = kernel[0]! * rows[center + 1]!;
      let blue = kernel[0]! * rows[center + 2]!;
      for (let t = 1; t <= radius; t++) {
        const weight = kernel[t]!;
        const up = above[t]! + x;
        const down = below[t]! + x;
        red += weight * (rows[up]! + rows[down]!);
        green += weight * (rows[up + 1]! + rows[down + 1]!);
        blue += weight * (rows[up + 2]! + rows[down + 2]!);
      }
      output[to] = red + 0.5;
      output[to + 1] = green + 0.5;
      output[to + 2] = blue + 0.5;
    }
  }
  return output;
}
