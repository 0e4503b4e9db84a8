import { describe, expect, it } from 'vitest';
import { gaussianBlur, gaussianKernel } from './gaussian-blur';
import { pilGaussianBlur } from './pil-gaussian-blur';

const SIZE = 31;

/** Black with one white pixel at the middle of the top row. */
function spot(): Uint8Array {
  const pixels = new Uint8Array(SIZE * SIZE * 3);
  pixels.fill(255, 15 * 3, 16 * 3);
  return pixels;
}

it('has a kernel of sum 1 that falls off as exp(-x^2 / 2 sigma^2)', () => {
  const kernel = gaussianKernel(1.5, 4);
  const sum = kernel.reduce((total, weight, x) => total + (x === 0 ? weight : 2 * weight), 0);
  expect(sum).toBeCloseTo(1, 6);
  expect(kernel[2]! / kernel[0]!).toBeCloseTo(Math.exp(-4 / 4.5), 6);
});

describe.each([
  ['torchvision', (pixels: Uint8Array, sigma: number) => gaussianBlur(pixels, SIZE, SIZE, sigma, 4)],
  ['PIL', (pixels: Uint8Array, sigma: number) => pilGaussianBlur(pixels, SIZE, SIZE, sigma)],
])('%s blur', (_, blur) => {
  it('leaves a constant image alone', () => {
    const flat = new Uint8Array(SIZE * SIZE * 3).fill(93);
    expect(blur(flat, 1.7)).toEqual(flat);
  });

  it('is the same in x and in y, up to the rounding of the pass that comes first', () => {
    const transposed = (pixels: Uint8Array): Uint8Array =>
      pixels.map((_value, i) => {
        const pixel = Math.floor(i / 3);
        return pixels[((pixel % SIZE) * SIZE + Math.floor(pixel / SIZE)) * 3 + (i % 3)]!;
      });
    const other = blur(transposed(spot()), 1.2);
    expect(transposed(blur(spot(), 1.2)).every((value, i) => Math.abs(value - other[i]!) <= 1)).toBe(true);
  });
});

it('reflects at the border without repeating the edge pixel', () => {
  const [center, near] = gaussianKernel(1, 4) as unknown as [number, number];
  const blurred = gaussianBlur(spot(), SIZE, SIZE, 1, 4);
  // Row 1 sees row 0 twice: as its neighbour above, and as nothing else; row 0 sees itself once.
  expect(blurred[15 * 3]).toBe(Math.round(255 * center * center));
  expect(blurred[(SIZE + 15) * 3]).toBe(Math.round(255 * near * center));
});

it('repeats the edge pixel in the PIL blur, so that a spot on the border stays brighter', () => {
  expect(pilGaussianBlur(spot(), SIZE, SIZE, 1)[15 * 3]).toBeGreaterThan(
    gaussianBlur(spot(), SIZE, SIZE, 1, 4)[15 * 3]!,
  );
});
