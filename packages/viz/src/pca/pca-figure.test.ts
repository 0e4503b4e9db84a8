import { expect, test } from 'vitest';
import { embeddedImages } from '../../test/decode-png';
import { filledImage } from '../drawing/image';
import { pcaFigure } from './pca-figure';

const item = (seed: number) => ({
  image: filledImage(40, 40, [seed, 0, 0]),
  features: {
    data: Float32Array.from({ length: 16 * 4 }, (_, i) => Math.sin(i * i + seed)),
    height: 4,
    width: 4,
    dim: 4,
  },
});

test('one row per picture, one column per recipe after the picture itself', () => {
  const { svg } = pcaFigure([item(1), item(2)], { recipes: ['paper', 'mid', 'capi'], cellSize: 20 });
  expect(embeddedImages(svg)).toHaveLength(2 * 4);
  expect([...svg.matchAll(/font-weight="600">(\w+)</g)].map((match) => match[1])).toEqual([
    'image',
    'paper',
    'mid',
    'capi',
  ]);
});

test('joint and single PCA differ, and each gives the same figure twice', () => {
  const items = [item(1), item(2)];
  const joint = pcaFigure(items, { joint: true });
  expect(pcaFigure(items, { joint: true })).toEqual(joint);
  expect(embeddedImages(pcaFigure(items).svg)[1]).not.toEqual(embeddedImages(joint.svg)[1]);
});

test('refuses to draw nothing', () => {
  expect(() => pcaFigure([])).toThrow(/no picture/);
});
