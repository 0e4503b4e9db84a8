import { expect, test } from 'vitest';
import { fitImages } from './fit-images';

test('fitImages crops about the centre and pads at the bottom right', () => {
  const data = Float32Array.from({ length: 3 * 5 * 4 }, (_, i) => i);
  const cropped = fitImages({ data, shape: [1, 3, 5, 4] }, 3, 'crop');
  expect(cropped.shape).toEqual([1, 3, 3, 3]);
  expect(Array.from(cropped.data.slice(0, 3))).toEqual([4, 5, 6]);
  const padded = fitImages({ data, shape: [1, 3, 5, 4] }, 3, 'pad');
  expect(padded.shape).toEqual([1, 3, 6, 6]);
  expect(Array.from(padded.data.slice(0, 6))).toEqual([0, 1, 2, 3, 0, 0]);
  expect(() => fitImages({ data, shape: [1, 3, 5, 4] }, 7, 'crop')).toThrow(/smaller than one patch/);
});
