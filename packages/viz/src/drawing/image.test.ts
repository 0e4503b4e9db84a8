import { expect, test } from 'vitest';
import { filledImage, imageFromTensor, rgbImage } from './image';

test('undoes the normalisation of a network input and clips what lies outside 0..1', () => {
  const normalisation = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } as const;
  const tensor = Float32Array.of(-2, 2, 0, -9, 1, 9);
  const image = imageFromTensor(tensor, { width: 2, height: 1 }, normalisation);
  // Channel-first in, channel-last out: pixel 0 is (-2, 0, 1), pixel 1 is (2, -9, 9).
  expect([...image.data]).toEqual([0, 128, 191, 255, 0, 255]);
});

test('refuses bytes that do not fill the picture, naming both numbers', () => {
  expect(() => rgbImage(2, 2, new Uint8Array(11))).toThrow(/11 values.*\[2, 2, 3\] needs 12/);
  expect(() => imageFromTensor(new Float32Array(5), { width: 1, height: 2 })).toThrow(/5 values/);
  expect(() => filledImage(0, 2, [0, 0, 0])).toThrow(/at least 1/);
});
