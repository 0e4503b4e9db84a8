import { describe, expect, it } from 'vitest';
import { DataError } from '../errors';
import type { PixelImage } from '../images/image';
import { IMAGENET_NORMALISATION } from './normalise';
import { PREPROCESS_224, PREPROCESS_518, preprocess, preprocessInto, resizeAndCrop, resizedSize } from './preprocess';

describe('size rule', () => {
  it.each([
    // The longer side is truncated: 256 * 640 / 427 = 383.7.
    [640, 427, 383, 256],
    [427, 640, 256, 383],
    [300, 300, 256, 256],
    [10, 1000, 256, 25600],
  ])('%i x %i becomes %i x %i', (width, height, newWidth, newHeight) => {
    expect(resizedSize({ width, height }, 256)).toEqual({ width: newWidth, height: newHeight });
  });
});

function columns(width: number, height: number): PixelImage {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => Math.floor(i / 3) % width);
  return { width, height, channels: 3, data };
}

it('cuts out the centre, halves rounded to even', () => {
  // 11 columns, 4 kept: offset 3.5 rounds to 4. 9 columns: 2.5 rounds to 2.
  expect(resizeAndCrop(columns(11, 4), { resize: 4, crop: 4 }).data[0]).toBe(4);
  expect(resizeAndCrop(columns(9, 4), { resize: 4, crop: 4 }).data[0]).toBe(2);
});

it.each([PREPROCESS_224, PREPROCESS_518])('gives [1, 3, crop, crop] for %o', (preprocessing) => {
  const { data, shape } = preprocess(columns(40, 30), preprocessing);
  expect(shape).toEqual([1, 3, preprocessing.crop, preprocessing.crop]);
  expect(data.length).toBe(3 * preprocessing.crop ** 2);
});

it('normalises a constant image to (v / 255 - mean) / std in every channel', () => {
  const data = new Uint8Array(30 * 30 * 3).fill(51);
  const tensor = preprocess({ width: 30, height: 30, channels: 3, data }, { resize: 16, crop: 8 }).data;
  const { mean, std } = IMAGENET_NORMALISATION;
  for (const channel of [0, 1, 2]) {
    const plane = tensor.subarray(channel * 64, (channel + 1) * 64);
    const expected = (0.2 - mean[channel]!) / std[channel]!;
    // Three single-precision steps on values near 1.
    for (const value of plane) expect(Math.abs(value - expected)).toBeLessThan(1e-6);
  }
});

it('puts several images into one batch, each as it is by itself', () => {
  const preprocessing = { resize: 10, crop: 8 };
  const { data, shape } = preprocess([columns(11, 14), columns(30, 20)], preprocessing);
  expect(shape).toEqual([2, 3, 8, 8]);
  expect(data.subarray(192)).toEqual(preprocess(columns(30, 20), preprocessing).data);
  const place = new Float32Array(192);
  preprocessInto(place, columns(11, 14), preprocessing);
  expect(place).toEqual(data.subarray(0, 192));
});

it('refuses no image at all, and a place of another size', () => {
  expect(() => preprocess([])).toThrow(/no image/);
  expect(() => preprocess(columns(11, 14), undefined, new Float32Array(3) as never)).toThrow(DataError);
  expect(() => preprocessInto(new Float32Array(100), columns(11, 14))).toThrow(/100 numbers .* 150528/);
});

it('refuses a crop larger than the resized image', () => {
  expect(() => preprocess(columns(8, 8), { resize: 200, crop: 224 })).toThrow(/cannot cut 224 px out of 200 px/);
});
