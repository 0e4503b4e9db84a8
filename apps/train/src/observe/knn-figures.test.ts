import { expect, test } from 'vitest';
import { knnFigures } from './knn-figures';

const bits = (text: string): Uint8Array => Uint8Array.from(text, Number);
const labels = { train: Int32Array.of(2, 1, 1, 0, 2), test: Int32Array.of(0, 1, 1, 2, 1, 0, 2, 0) };
const reading = { right: bits('11101100'), pixels: bits('10000001'), start: undefined };

test('shares, leads and their standard errors are those of the images', () => {
  const { share, pixels, chance, classes, images } = knnFigures(reading, { step: 5, k: 20 }, labels);
  expect([share, pixels.share, pixels.lead]).toEqual([5 / 8, 2 / 8, 3 / 8]);
  // four images only the teacher gets right, one only raw pixels do
  expect(pixels.error).toBeCloseTo(Math.sqrt(4 + 1 + 1 - 3 ** 2 / 8) / 8, 12);
  // classes 1 and 2 are as frequent: the lower one
  expect(chance).toBe(3 / 8);
  expect([classes, images]).toEqual([3, 8]);
});

test('images on which both agree say nothing, and no difference is ever certain', () => {
  const start = { right: reading.right, weights: 'untrained' as const };
  const figures = knnFigures({ ...reading, start }, { step: 5, k: 20 }, labels);
  expect(figures.start).toEqual({ share: 5 / 8, lead: 0, error: 1 / 8, weights: 'untrained' });
});

test('for many images the error is that of a mean of differences of -1, 0 and 1', () => {
  const n = 4000;
  // one in ten only the teacher gets right, one in twenty only raw pixels
  const right = Uint8Array.from({ length: n }, (_, i) => (i % 20 < 2 || i % 20 > 9 ? 1 : 0));
  const pixels = Uint8Array.from({ length: n }, (_, i) => (i % 20 === 2 || i % 20 > 9 ? 1 : 0));
  const { lead, error } = knnFigures(
    { right, pixels, start: undefined },
    { step: 1, k: 20 },
    { train: Int32Array.of(0), test: new Int32Array(n) },
  ).pixels;
  expect(lead).toBeCloseTo(0.05, 12);
  // up to the one image more that differs
  expect(error).toBeCloseTo(Math.sqrt((0.15 - 0.05 ** 2) / n), 4);
});
