import { expect, test } from 'vitest';
import { filledImage, imageFromTensor, rgbImage, toRgb } from './image';

test('undoes the normalisation of a network input and clips what lies outside 0..1', () => {
  const normalisation = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } as const;
  const data = Float32Array.of(0, 0, 0, 0, 0, 0, -2, 2, 0, -9, 1, 9);
  const batch = { data, shape: [2, 3, 1, 2] } as const;
  const image = imageFromTensor(batch, 1, normalisation);
  // Channel-first in, channel-last out: pixel 0 is (-2, 0, 1), pixel 1 is (2, -9, 9).
  expect([...image.data]).toEqual([0, 128, 191, 255, 0, 255]);
  expect([...imageFromTensor(batch, 0, normalisation).data]).toEqual([128, 128, 128, 128, 128, 128]);
  expect(() => imageFromTensor(batch, 2)).toThrow(/image is 2, but there are 2/);
});

test('refuses bytes that do not fill the picture, naming both numbers', () => {
  expect(() => rgbImage(2, 2, new Uint8Array(11))).toThrow(/11 values.*\[2, 2, 3\] needs 12/);
  expect(() => imageFromTensor({ data: new Float32Array(5), shape: [1, 3, 2, 1] })).toThrow(/5 values/);
  expect(() => filledImage(0, 2, [0, 0, 0])).toThrow(/at least 1/);
});

test('four channels are three and a byte that is ignored; anything else is no picture', () => {
  const data = Uint8Array.of(1, 2, 3, 9, 4, 5, 6, 9);
  expect(toRgb({ width: 2, height: 1, channels: 4, data })).toEqual(rgbImage(2, 1, Uint8Array.of(1, 2, 3, 4, 5, 6)));
  expect(() => toRgb({ width: 2, height: 1, channels: 3, data })).toThrow(/8 values/);
  expect(() => toRgb({ width: 2, height: 1, data } as never)).toThrow(/undefined channels/);
});
