import { expect, it } from 'vitest';
import type { PixelImage } from '../images/image';
import { cubicKernel, resizeBicubic, resizeBilinear } from './bicubic';

function noise(width: number, height: number): PixelImage {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 2654435761) >>> 24);
  return { width, height, channels: 3, data };
}

it('weighs by a cubic that is 1 at 0, 0 at whole distances, and sums to 1 over any shift', () => {
  expect([0, 1, 2, 3].map(cubicKernel)).toEqual([1, 0, 0, 0]);
  for (const shift of [0.1, 0.25, 0.5, 0.9]) {
    const sum = [-2, -1, 0, 1, 2].reduce((total, x) => total + cubicKernel(x - shift), 0);
    expect(sum).toBeCloseTo(1, 12);
  }
});

it('returns the same bytes at the same size', () => {
  const image = noise(13, 9);
  expect(resizeBicubic(image, 13, 9)).toEqual(image);
});

it('keeps a constant image constant, at any scale', () => {
  const image: PixelImage = { width: 37, height: 5, channels: 3, data: new Uint8Array(37 * 5 * 3).fill(201) };
  for (const [width, height] of [
    [64, 64],
    [3, 1],
    [37, 2],
  ] as const) {
    expect(resizeBicubic(image, width, height).data.every((value) => value === 201)).toBe(true);
  }
});

it('does not see past the box', () => {
  const image = noise(40, 30);
  const box = { left: 7, top: 5, width: 21, height: 11 };
  const cut = new Uint8Array(box.width * box.height * 3);
  for (let y = 0; y < box.height; y++) {
    const from = ((box.top + y) * image.width + box.left) * 3;
    cut.set(image.data.subarray(from, from + box.width * 3), y * box.width * 3);
  }
  const alone: PixelImage = { width: box.width, height: box.height, channels: 3, data: cut };
  expect(resizeBicubic(image, 16, 24, { box })).toEqual(resizeBicubic(alone, 16, 24));
});

it('computes a window of the result as part of the whole', () => {
  const image = noise(50, 31);
  const { data: whole } = resizeBicubic(image, 20, 40);
  const window = { left: 6, top: 11, width: 9, height: 13 };
  const { data: part, ...size } = resizeBicubic(image, 20, 40, { window });
  expect(size).toEqual({ width: 9, height: 13, channels: 3 });
  for (let y = 0; y < window.height; y++) {
    const from = ((window.top + y) * 20 + window.left) * 3;
    expect(part.subarray(y * 27, (y + 1) * 27)).toEqual(whole.subarray(from, from + 27));
  }
});

it('mirrors left to right', () => {
  const image = noise(23, 17);
  const { data: straight } = resizeBicubic(image, 12, 8);
  const { data: flipped } = resizeBicubic(image, 12, 8, { flip: true });
  for (let pixel = 0; pixel < 12 * 8; pixel++) {
    const mirror = pixel - (pixel % 12) + 11 - (pixel % 12);
    expect(flipped.subarray(pixel * 3, pixel * 3 + 3)).toEqual(straight.subarray(mirror * 3, mirror * 3 + 3));
  }
});

it.each([
  // by Pillow 12.3.0: crop(left, top, right, bottom).resize(size, BILINEAR) of noise(13, 9)
  {
    box: { left: 2, top: 1, width: 9, height: 7 },
    size: [4, 3],
    bytes: [
      179, 101, 94, 123, 114, 172, 81, 180, 98, 185, 120, 97, 131, 158, 75, 170, 87, 142, 100, 115, 153, 118, 174, 85,
      67, 181, 117, 164, 139, 84, 151, 80, 186, 76, 154, 136,
    ],
  },
  {
    box: { left: 3, top: 2, width: 4, height: 3 },
    size: [6, 5],
    bytes: [
      196, 99, 1, 178, 80, 110, 153, 55, 213, 128, 30, 188, 103, 134, 164, 84, 243, 145, 207, 109, 11, 188, 91, 121,
      163, 66, 224, 138, 40, 199, 114, 93, 174, 95, 151, 155, 223, 125, 27, 204, 107, 137, 179, 82, 240, 154, 56, 215,
      130, 32, 190, 111, 13, 171, 239, 141, 43, 220, 123, 76, 195, 98, 128, 170, 72, 205, 146, 48, 206, 127, 29, 187,
      249, 151, 54, 231, 133, 35, 206, 108, 53, 181, 83, 198, 156, 58, 217, 137, 39, 198,
    ],
  },
] as const)('resizes bilinearly as PIL does, to $size', ({ box, size, bytes }) => {
  expect([...resizeBilinear(noise(13, 9), size[0], size[1], { box }).data]).toEqual(bytes);
});

it('refuses bytes that are not those of the picture', () => {
  expect(() => resizeBicubic({ ...noise(8, 8), width: 9 }, 4, 4)).toThrow(
    /192 bytes are not a picture of 9 x 8 pixels/,
  );
  expect(() => resizeBicubic({ ...noise(8, 8), channels: 4 }, 4, 4)).toThrow(/8 x 8 pixels with 4 channels/);
});
