import { expect, test } from 'vitest';
import { rgbImage } from './image';
import { resample, resizeImage } from './resample';

const row = (values: number[], width: number, method: 'nearest' | 'bilinear' | 'area') => [
  ...resample(values, { height: 1, width: values.length }, { height: 1, width }, 1, method),
];

test('bilinear samples at half-pixel positions with edges repeated', () => {
  // Positions -0.25, 0.25, 0.75, 1.25 between samples 0 and 1.
  expect(row([0, 1], 4, 'bilinear')).toEqual([0, 0.25, 0.75, 1]);
});

test('nearest takes the cell that holds the output pixel', () => {
  expect(row([5, 7], 4, 'nearest')).toEqual([5, 5, 7, 7]);
  expect(row([1, 2, 3, 4, 5], 2, 'nearest')).toEqual([2, 4]);
});

test('area averages what an output pixel covers, with parts of pixels', () => {
  expect(row([0, 2, 4, 6], 2, 'area')).toEqual([1, 5]);
  // Each of two outputs covers one and a half of three inputs.
  const [left, right] = row([3, 6, 9], 2, 'area');
  expect(left).toBeCloseTo((3 + 6 / 2) / 1.5, 6);
  expect(right).toBeCloseTo((6 / 2 + 9) / 1.5, 6);
});

test('both axes and every channel are resampled on their own', () => {
  const image = rgbImage(1, 2, Uint8Array.of(0, 10, 20, 100, 110, 120));
  const tall = resizeImage(image, { width: 2, height: 4 }, 'bilinear');
  expect([...tall.data.slice(0, 6)]).toEqual([0, 10, 20, 0, 10, 20]);
  expect([...tall.data.slice(6, 9)]).toEqual([25, 35, 45]);
});

test('refuses a grid whose values do not fit and a size that is not whole', () => {
  expect(() => resample([1, 2, 3], { height: 2, width: 2 }, { height: 1, width: 1 }, 1, 'area')).toThrow(/needs 4/);
  expect(() => row([1, 2], 1.5, 'area')).toThrow(/new width is 1.5/);
});
