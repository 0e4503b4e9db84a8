import { expect, test } from 'vitest';
import { filledImage } from '../drawing/image';
import { pngDataUri } from '../drawing/png';
import { type DiscoveryItem, discoveryFigure } from './discovery-figure';

// patches of 4 px: 2 x 3 of them, of which the last column reaches two pixels beyond the picture
const item: DiscoveryItem = {
  image: filledImage(10, 8, [90, 90, 90]),
  label: 'a cow',
  truth: [[0, 0, 4, 4]],
  found: [2, 2, 10, 8],
  patchSize: 4,
  grid: [2, 3],
  seed: 5,
  maps: [[0, 1, 2, 3, 4, 5]],
};
const options = { columns: ['similarity'], cellSize: 10, density: 1 };

test('a row has the picture with its boxes, and each map with the seed', () => {
  const { svg } = discoveryFigure([item, { ...item, truth: [] }], options);
  expect(svg.match(/<image /g)).toHaveLength(4);
  for (const word of ['a cow', 'similarity', 'labelled', 'found', 'seed']) expect(svg).toContain(`>${word}<`);
  expect(svg).toContain('#ff8000');
});

test('boxes lie where they say, and patches beyond the picture are cut off', () => {
  const boxed = filledImage(10, 8, [90, 90, 90]);
  const paint = (x0: number, y0: number, x1: number, y1: number, colour: readonly number[], ring: number): void => {
    for (let y = y0; y < y1; y++)
      for (let x = x0; x < x1; x++)
        if (Math.min(x - x0, y - y0, x1 - 1 - x, y1 - 1 - y) === ring) boxed.data.set(colour, (y * 10 + x) * 3);
  };
  paint(0, 0, 4, 4, [0, 0, 0], 1);
  paint(0, 0, 4, 4, [86, 180, 233], 0);
  paint(2, 2, 10, 8, [0, 0, 0], 1);
  paint(2, 2, 10, 8, [255, 128, 0], 0);
  expect(discoveryFigure([item], options).svg).toContain(pngDataUri(boxed));
});

test('refuses maps that do not fit the columns or the patches, patches that do not cover the picture, and a seed that is none', () => {
  expect(() => discoveryFigure([{ ...item, maps: [] }], options)).toThrow(/0 maps for 1 columns/);
  expect(() => discoveryFigure([{ ...item, maps: [[1, 2]] }], options)).toThrow(/needs 6/);
  expect(() => discoveryFigure([{ ...item, seed: 6 }], options)).toThrow(/seed of picture 0 is 6/);
  expect(() => discoveryFigure([{ ...item, patchSize: 3 }], options)).toThrow(/rows of patches is 2/);
});
