import { expect, test } from 'vitest';
import { filledImage } from '../drawing/image';
import { segmentationFigure } from './segmentation-figure';

const image = filledImage(8, 8, [50, 50, 50]);
const map = { labels: [0, 1, 255, 2], grid: [2, 2] } as const;
const options = { columns: ['prediction'], classes: ['background', 'cat'] };

test('the legend lists the classes that occur, in their colours, without background and ignore', () => {
  const { svg } = segmentationFigure([{ image, maps: [map] }], options);
  expect(svg).toMatch(/fill="#800000"\/><text[^>]*>cat</);
  expect(svg).toMatch(/fill="#008000"\/><text[^>]*>class 2</);
  expect(svg).not.toContain('background');
  expect(svg).not.toContain('255');
});

test('refuses a picture that has not one labelling per column', () => {
  expect(() => segmentationFigure([{ image, maps: [map, map] }], options)).toThrow(/2 labellings for 1 columns/);
  expect(() => segmentationFigure([{ image, maps: [{ ...map, grid: [2, 3] }] }], options)).toThrow(/needs 6/);
});
