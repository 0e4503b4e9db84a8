import { describe, expect, it } from 'vitest';
import type { PixelImage } from '../images/image';
import { createRandom } from '../random';
import { warpImage } from './warp-image';

function noise(width: number, height: number, channels: 3 | 4 = 3): PixelImage {
  const random = createRandom({ seed: 5, position: width, stream: height });
  return {
    width,
    height,
    channels,
    data: Uint8Array.from({ length: width * height * channels }, () => random.below(256)),
  };
}

const WIDTH = 13;
const HEIGHT = 9;
const image = noise(WIDTH, HEIGHT);
const pixel = ({ width, channels, data }: PixelImage, x: number, y: number): number[] => [
  ...data.subarray((y * width + x) * channels, (y * width + x) * channels + 3),
];

describe('a warped picture', () => {
  it('is itself under the identity, whatever its scale', () => {
    expect(warpImage(image, [1, 0, 0, 0, 1, 0, 0, 0, 1], image)).toEqual(image);
    expect(warpImage(image, [2, 0, 0, 0, 2, 0, 0, 0, 2], image)).toEqual(image);
  });

  it('is shifted by whole pixels exactly, with the mean colour where nothing came from', () => {
    const shifted = warpImage(image, [1, 0, 3, 0, 1, -2, 0, 0, 1], image);
    const mean = [0, 1, 2].map((k) =>
      Math.round(image.data.filter((_, i) => i % 3 === k).reduce((a, b) => a + b, 0) / (WIDTH * HEIGHT)),
    );
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) {
        const inside = x + 3 < WIDTH && y >= 2;
        expect(pixel(shifted, x, y)).toEqual(inside ? pixel(image, x + 3, y - 2) : mean);
      }
    }
  });

  it('is turned by a quarter exactly', () => {
    const turned = warpImage(image, [0, 1, 0, -1, 0, HEIGHT, 0, 0, 1], { width: HEIGHT, height: WIDTH });
    for (let y = 0; y < WIDTH; y++) {
      for (let x = 0; x < HEIGHT; x++) expect(pixel(turned, x, y)).toEqual(pixel(image, y, HEIGHT - 1 - x));
    }
  });

  it.each([3, 4] as const)('is the bilinear interpolation of %i channels in f64 under any map', (channels) => {
    const from = noise(17, 11, channels);
    const matrix = [0.8, -0.3, 3.1, 0.25, 0.9, -1.7, 0.004, -0.006, 1];
    const warped = warpImage(from, matrix, { width: 19, height: 14 });
    const at = (x: number, y: number, k: number): number => {
      const [column, row] = [Math.min(16, Math.max(0, x)), Math.min(10, Math.max(0, y))];
      return from.data[(row * 17 + column) * channels + k]!;
    };
    let outside = 0;
    for (let row = 0; row < 14; row++) {
      for (let column = 0; column < 19; column++) {
        const [u, v] = [column + 0.5, row + 0.5];
        const [p, q, w] = [0, 3, 6].map((i) => matrix[i]! * u + matrix[i + 1]! * v + matrix[i + 2]!) as [
          number,
          number,
          number,
        ];
        const [x, y] = [p / w - 0.5, q / w - 0.5];
        if (x < -0.5 || y < -0.5 || x > 16.5 || y > 10.5) {
          outside++;
          continue;
        }
        const [left, top] = [Math.floor(x), Math.floor(y)];
        const expected = [0, 1, 2].map((k) => {
          let sum = 0;
          for (const [i, j] of [
            [0, 0],
            [1, 0],
            [0, 1],
            [1, 1],
          ] as const)
            sum += at(left + i, top + j, k) * (i ? x - left : 1 - x + left) * (j ? y - top : 1 - y + top);
          return sum;
        });
        // A byte is the rounded value.
        pixel(warped, column, row).forEach((value, k) => {
          expect(Math.abs(value - expected[k]!)).toBeLessThan(0.5 + 1e-9);
        });
      }
    }
    expect(outside).toBeGreaterThan(10);
  });

  it('shows nothing of what lies behind the viewer', () => {
    const behind = warpImage(image, [-1, 0, 0, 0, -1, 0, 0, 0, -1], image);
    expect(new Set(behind.data).size).toBeLessThanOrEqual(3);
  });
});

it.each([
  [[1, 0, 0, 0, 1, 0, 0, 0], /has 8 numbers; give nine/],
  [[1, 0, 0, 0, 1, 0, 0, 0, Number.NaN], /must be an array of numbers/],
])('refuses %j as a matrix', (matrix, message) => {
  expect(() => warpImage(image, matrix, image)).toThrow(message);
});
