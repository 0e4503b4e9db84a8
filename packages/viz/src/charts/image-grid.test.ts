import { expect, test } from 'vitest';
import { embeddedImages } from '../../test/decode-png';
import { filledImage } from '../drawing/image';
import { contactSheet, imageGrid } from './image-grid';

const boxes = (svg: string) =>
  [...svg.matchAll(/<image x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g)].map((match) =>
    match.slice(1, 5).map(Number),
  );
const square = filledImage(100, 100, [1, 2, 3]);

test('cells stand side by side, a gap apart, in reading order', () => {
  const { svg } = contactSheet(
    [square, square, square].map((image) => ({ image })),
    2,
    { cellSize: 50 },
  );
  expect(boxes(svg)).toEqual([
    [14, 6, 50, 50],
    [70, 6, 50, 50],
    [14, 62, 50, 50],
  ]);
});

test('a picture keeps its shape and stands in the middle of its cell', () => {
  const row = { cells: [{ image: square }, { image: filledImage(100, 50, [0, 0, 0]) }] };
  expect(boxes(imageGrid([row], { cellSize: 50 }).svg)[1]).toEqual([70, 6 + 12.5, 50, 25]);
});

test('an empty place stays empty, and row labels move the pictures right', () => {
  const { svg } = imageGrid([{ label: 'row', cells: [undefined, { image: square }] }], { cellSize: 50 });
  expect(boxes(svg)).toHaveLength(1);
  expect(boxes(svg)[0]![0]).toBeGreaterThan(70);
});

test('big pictures are stored at the density asked for, small maps are enlarged crisply', () => {
  const big = { image: filledImage(400, 400, [9, 9, 9]) };
  const tiny = { image: filledImage(3, 3, [9, 9, 9]) };
  const sizes = (density?: number) =>
    embeddedImages(contactSheet([big, tiny], 2, { cellSize: 50, density }).svg).map(({ width }) => width);
  expect(sizes()).toEqual([100, 102]);
  expect(sizes(1)).toEqual([50, 51]);
});

test('refuses to draw nothing', () => {
  expect(() => imageGrid([])).toThrow(/no picture/);
  expect(() => contactSheet([{ image: square }], 0)).toThrow(/columns is 0/);
});

test('a frame lies around its own picture alone, on its edge', () => {
  const { svg } = contactSheet([{ image: square, frame: '#123456' }, { image: square }], 2, { cellSize: 50 });
  const frames = [...svg.matchAll(/<rect [^>]*stroke="#123456"[^>]*>/g)].map(([text]) => text);
  expect(frames).toEqual(['<rect x="16" y="8" width="46" height="46" fill="none" stroke="#123456" stroke-width="4"/>']);
});
