import { expect, test } from 'vitest';
import { colourise } from '../drawing/colormap';
import { rgbImage } from '../drawing/image';
import { pngDataUri } from '../drawing/png';
import { resizeImage } from '../drawing/resample';
import { type DepthItem, depthFigure } from './depth-figure';

const item: DepthItem = {
  image: rgbImage(2, 1, new Uint8Array(6)),
  label: 'one',
  size: [1, 2],
  truth: [0, 2],
  prediction: [1, 3],
};

test('depths share one scale, errors another, and a pixel without a reading is grey in truth and error', () => {
  const { svg } = depthFigure([item], { domain: [1, 3], worst: 2, cellSize: 2, density: 1 });
  const shown = (values: number[], domain: [number, number], map: 'viridis' | 'inferno'): string =>
    pngDataUri(resizeImage(colourise(values, [1, 2], domain, map), { height: 1, width: 2 }, 'nearest'));
  expect(svg).toContain(shown([Number.NaN, 2], [1, 3], 'viridis'));
  expect(svg).toContain(shown([1, 3], [1, 3], 'viridis'));
  expect(svg).toContain(shown([Number.NaN, 1], [0, 2], 'inferno'));
  for (const text of ['measured', 'predicted', 'depth 1 m', 'depth 3 m', 'error 0 m', 'no reading'])
    expect(svg).toContain(text);
});

test('what does not fit is refused, and a picture without a reading or an error is drawn', () => {
  expect(() => depthFigure([])).toThrow(/no picture was passed/);
  expect(() => depthFigure([{ ...item, truth: [1] }])).toThrow(/'one'/);
  expect(depthFigure([{ ...item, truth: [0, 0], prediction: [0, 0] }]).svg).toContain('depth 0 m');
});
