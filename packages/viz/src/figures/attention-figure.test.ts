import { expect, test } from 'vitest';
import { embeddedImages } from '../../test/decode-png';
import { colormapColour } from '../drawing/colormap';
import { filledImage } from '../drawing/image';
import { attentionFigure, renderAttention } from './attention-figure';

const image = filledImage(20, 20, [99, 99, 99]);
/** CLS keeps nothing for itself in the first head, 0.3 in the second. */
const attention = {
  attention: Float32Array.of(0, 0.1, 0.2, 0.3, 0.4, 0.3, 0.4, 0.1, 0.1, 0.1),
  heads: 2,
  prefixTokens: 1,
  grid: [2, 2],
} as const;

test('a row holds the picture, the mean, the mass mask and each head', () => {
  const { svg } = attentionFigure([image], attention, { mass: 0.6, cellSize: 20, labels: ['first'] });
  expect([...svg.matchAll(/font-weight="600">([^<]+)</g)].map((match) => match[1])).toEqual([
    'Attention of the CLS token',
    'image',
    'mean',
    '60 % of mass',
    'head 0',
    'head 1',
  ]);
  expect(embeddedImages(svg)).toHaveLength(5);
  expect(svg).toContain('>first<');
});

test('one huge patch does not turn the others black: colours end at the 99th percentile', () => {
  // 200 patches from 0 to 1, two of which are outliers.
  const map = Float32Array.from({ length: 200 }, (_, p) => (p < 198 ? p / 198 : 1000));
  const drawn = renderAttention(filledImage(200, 1, [0, 0, 0]), map, [1, 200], { style: 'map' });
  const colour = [...drawn.data.subarray(190 * 3, 190 * 3 + 3)];
  expect(colour).not.toEqual([...colormapColour('inferno', 0)]);
  expect([...drawn.data.subarray(-3)]).toEqual([...colormapColour('inferno', 1)]);
});

test('refuses a grid that does not hold the patches, other pictures, heads that are not there', () => {
  expect(() => attentionFigure([image], { ...attention, grid: [2, 3] })).toThrow(/10 values.*needs 14/);
  expect(() => attentionFigure([], [])).toThrow(/no picture/);
  expect(() => attentionFigure([image, image], attention)).toThrow(/2 pictures, but the attention maps belong to 1/);
  expect(() => attentionFigure([image], attention, { heads: [2] })).toThrow(/head of picture 0 is 2, but there are 2/);
});
