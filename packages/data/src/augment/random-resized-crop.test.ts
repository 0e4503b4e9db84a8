import { expect, it } from 'vitest';
import { createRandom } from '../random';
import { randomResizedCrop } from './random-resized-crop';

const random = createRandom({ seed: 3, position: 0, stream: 0 });
const RATIO = [3 / 4, 4 / 3] as const;

it('always lies inside the image, however small or narrow', () => {
  for (const [width, height] of [
    [1, 1],
    [2, 1],
    [1, 50],
    [97, 3],
    [640, 427],
  ] as const) {
    for (let draw = 0; draw < 200; draw++) {
      const box = randomResizedCrop(width, height, [0.05, 1], RATIO, random);
      expect(box.width).toBeGreaterThan(0);
      expect(box.height).toBeGreaterThan(0);
      expect(Math.min(box.left, box.top)).toBeGreaterThanOrEqual(0);
      expect(box.left + box.width).toBeLessThanOrEqual(width);
      expect(box.top + box.height).toBeLessThanOrEqual(height);
    }
  }
});

it('falls back to the central box of the nearest allowed shape when no box fits', () => {
  // A 1000 x 10 image holds no box of at least half its area with aspect up to 4/3.
  expect(randomResizedCrop(1000, 10, [0.5, 1], RATIO, random)).toEqual({ left: 493, top: 0, width: 13, height: 10 });
  expect(randomResizedCrop(10, 1000, [0.5, 1], RATIO, random)).toEqual({ left: 0, top: 493, width: 10, height: 13 });
});

it('takes the whole image when scale and ratio leave nothing else', () => {
  expect(randomResizedCrop(60, 60, [1, 1], [1, 1], random)).toEqual({ left: 0, top: 0, width: 60, height: 60 });
});
