import type { PixelImage } from '@franca/data';
import { expect, test } from 'vitest';
import { resizeFixedPoint } from './fixed-point-bilinear';
import { inputSize, prepareFrame, sizeNote } from './frame-input';

const image = (width: number, height: number, value: (x: number, y: number, c: number) => number): PixelImage => ({
  width,
  height,
  channels: 3,
  data: Uint8Array.from({ length: 3 * width * height }, (_, i) =>
    value(Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3),
  ),
});
const noise = (x: number, y: number, c: number): number => (x * 131 + y * 241 + c * 57 + x * y * 17) % 256;

test('a size that stays is a copy, half the size the rounded mean of four', () => {
  const picture = image(12, 8, noise);
  expect(resizeFixedPoint(picture, 12, 8)).toEqual(picture);
  const half = resizeFixedPoint(picture, 6, 4);
  expect(half).toEqual(
    image(6, 4, (x, y, c) => {
      const four = [0, 1, 2, 3].map((i) => noise(2 * x + (i % 2), 2 * y + (i >> 1), c));
      return (four.reduce((sum, value) => sum + value, 0) + 2) >> 2;
    }),
  );
});

test('any other size is within two levels of bilinear interpolation without antialiasing, and never outside the pixels', () => {
  const picture = image(23, 17, noise);
  for (const [width, height] of [
    [31, 40],
    [16, 16],
    [5, 30],
  ] as const) {
    const { data } = resizeFixedPoint(picture, width, height);
    const places = (at: number, input: number, output: number) => {
      const place = ((at + 0.5) * input) / output - 0.5;
      const low = Math.floor(place);
      const inside = (i: number) => Math.min(Math.max(i, 0), input - 1);
      return [inside(low), inside(low + 1), place - low] as const;
    };
    for (let i = 0; i < data.length; i++) {
      const [x0, x1, u] = places(Math.floor(i / 3) % width, 23, width);
      const [y0, y1, v] = places(Math.floor(i / 3 / width), 17, height);
      const row = (y: number) => (1 - u) * noise(x0, y, i % 3) + u * noise(x1, y, i % 3);
      expect(Math.abs(data[i]! - ((1 - v) * row(y0) + v * row(y1)))).toBeLessThan(1.01);
    }
  }
  const white = image(9, 7, () => 255);
  expect(resizeFixedPoint(white, 20, 3).data.every((value) => value === 255)).toBe(true);
});

test("sides by DINO's rule, where patches do not divide 64, and by DINOv3's", () => {
  const dino = (shortSide: number, patchSize: number) => ({ protocol: 'dino', shortSide, patchSize }) as const;
  expect(inputSize([480, 854], dino(480, 16))).toEqual([480, 832]);
  expect(inputSize([854, 480], dino(480, 8))).toEqual([832, 480]);
  expect(inputSize([320, 569], dino(320, 16))).toEqual([320, 512]);
  expect(inputSize([480, 854], dino(480, 14))).toEqual([476, 840]);
  expect([16, 14].map((patch) => sizeNote(dino(480, patch)))).toEqual([
    undefined,
    "frames: 480 px are no whole patches of 14: 476 px are taken; the long side is a multiple of 14, DINO's is one of 64",
  ]);
  const dinov3 = (shortSide: number, patchSize: number) => ({ protocol: 'dinov3', shortSide, patchSize }) as const;
  expect(inputSize([480, 854], dinov3(480, 16))).toEqual([480, 864]);
  expect(inputSize([480, 854], dinov3(960, 14))).toEqual([966, 1722]);
  expect(() => inputSize([480, 854], dino(8, 16))).toThrow(/no whole patch of 16; give a larger --size/);
});

test('a frame is normalised, red by .228 under DINO', () => {
  const picture = image(16, 16, () => 255);
  const look = { protocol: 'dino', shortSide: 16, patchSize: 8 } as const;
  const { data, shape } = prepareFrame(picture, look);
  expect(shape).toEqual([1, 3, 16, 16]);
  expect([data[0], data[256], data[512]].map((value) => value!.toFixed(4))).toEqual(
    [(1 - 0.485) / 0.228, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225].map((value) => value.toFixed(4)),
  );
  expect(prepareFrame(picture, { ...look, protocol: 'dinov3' }).data[0]).toBeCloseTo((1 - 0.485) / 0.229, 5);
});
