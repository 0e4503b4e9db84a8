import { expect, test } from 'vitest';
import { embeddedImages } from '../../test/decode-png';
import { filledImage } from '../drawing/image';
import { pcaFigure } from './pca-figure';
import type { PatchFeatures } from './pca-map';

const images = [1, 2].map((red) => filledImage(40, 40, [red, 0, 0]));
/** A batch of two pictures. */
const features: PatchFeatures = {
  patches: Float32Array.from({ length: 2 * 16 * 4 }, (_, i) => Math.sin((i % 64) ** 2 + Math.floor(i / 64))),
  grid: [4, 4],
  dim: 4,
};

test('one row per picture, one column per recipe after the picture itself', () => {
  const { svg } = pcaFigure(images, features, { recipes: ['paper', 'mid', 'capi'], cellSize: 20, labels: ['a', 'b'] });
  expect(embeddedImages(svg)).toHaveLength(2 * 4);
  expect([...svg.matchAll(/font-weight="600">(\w+)</g)].map((match) => match[1])).toEqual([
    'image',
    'paper',
    'mid',
    'capi',
  ]);
  expect(svg).toMatch(/>a<.*>b</s);
});

test('joint and single PCA differ, and each gives the same figure twice', () => {
  const joint = pcaFigure(images, features, { joint: true });
  expect(pcaFigure(images, features, { joint: true })).toEqual(joint);
  expect(embeddedImages(pcaFigure(images, features).svg)[1]).not.toEqual(embeddedImages(joint.svg)[1]);
});

test('refuses to draw nothing, and features of other pictures', () => {
  expect(() => pcaFigure([], [])).toThrow(/no picture/);
  expect(() => pcaFigure(images.slice(1), features)).toThrow(/1 pictures, but the patch features belong to 2/);
});
