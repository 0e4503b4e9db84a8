import { expect, test } from 'vitest';
import { embeddedImages } from '../../test/decode-png';
import { colormapColour } from '../drawing/colormap';
import { filledImage } from '../drawing/image';
import { attentionFigure, renderAttention } from './attention-figure';

const image = filledImage(20, 20, [99, 99, 99]);
const grid = { height: 2, width: 2 };
const attention = { data: Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.4, 0.1, 0.1, 0.1), heads: 2, patches: 4 };

test('a row holds the picture, the mean, the mass mask and each head', () => {
  const { svg } = attentionFigure([{ image, attention, grid }], { mass: 0.6, cellSize: 20 });
  expect([...svg.matchAll(/font-weight="600">([^<]+)</g)].map((match) => match[1])).toEqual([
    'Attention of the CLS token',
    'image',
    'mean',
    '60 % of mass',
    'head 0',
    'head 1',
  ]);
  expect(embeddedImages(svg)).toHaveLength(5);
});

test('one huge patch does not turn the others black: colours end at the 99th percentile', () => {
  // 200 patches from 0 to 1, two of which are outliers.
  const map = Float32Array.from({ length: 200 }, (_, p) => (p < 198 ? p / 198 : 1000));
  const drawn = renderAttention(filledImage(200, 1, [0, 0, 0]), map, { height: 1, width: 200 }, { style: 'map' });
  const colour = [...drawn.data.subarray(190 * 3, 190 * 3 + 3)];
  expect(colour).not.toEqual([...colormapColour('inferno', 0)]);
  expect([...drawn.data.subarray(-3)]).toEqual([...colormapColour('inferno', 1)]);
});

test('refuses a grid that does not hold the patches', () => {
  expect(() => attentionFigure([{ image, attention, grid: { height: 2, width: 3 } }])).toThrow(/4 values.*needs 6/);
  expect(() => attentionFigure([])).toThrow(/no picture/);
  expect(() => attentionFigure([{ image, attention, grid }], { heads: [2] })).toThrow(/head is 2/);
});
