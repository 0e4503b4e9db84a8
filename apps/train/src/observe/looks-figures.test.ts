import { filledImage } from '@franca/viz';
import { figureToPng } from '@franca/viz/node';
import { expect, test } from 'vitest';
import { looksFigures, SAME_CLASS } from './looks-figures';
import type { Looks } from './teacher-reading';

const held = (n: number, size: number, labels: number[]) => ({
  images: Array.from({ length: n }, (_, i) => filledImage(size, size, [40 * i, 40 * i, 40 * i])),
  indices: Array.from({ length: n }, (_, i) => i),
  labels: Int32Array.from(labels),
  size,
  skipped: [],
});
const reading = {
  train: held(4, 8, [0, 1, 0, 1]),
  test: held(3, 8, [0, 1, 1]),
  shown: { queries: [0, 2], pictures: held(2, 48, []) },
};
const looks = (red: number, nearest: number[][]): Looks => ({
  maps: [0, 1].map(() => ({
    grid: [2, 2],
    colours: Float32Array.from({ length: 12 }, (_, i) => (i % 3 === 0 ? red : 0.5)),
    foreground: new Uint8Array(4).fill(1),
  })),
  nearest,
});
const now = looks(1, [
  [0, 2],
  [1, 3],
]);
const start = {
  weights: 'untrained' as const,
  looks: looks(0, [
    [1, 0],
    [0, 2],
  ]),
};
const count = (svg: string, what: string): number => svg.split(what).length - 1;

test('maps stand below their pictures, untrained and trained, and are not the same', () => {
  const { svg, width } = looksFigures(reading, now, start).maps!;
  expect(count(svg, '<image')).toBe(6);
  expect(width).toBeGreaterThan(2 * 150);
  const [, , untrained, , trained] = [...svg.matchAll(/href="([^"]+)"/g)].map((match) => match[1]);
  expect(untrained).not.toBe(trained);
  expect(figureToPng(looksFigures(reading, now, start).maps!)).not.toEqual(
    figureToPng(looksFigures(reading, now, { ...start, looks: now }).maps!),
  );
});

test('neighbours of the own class are framed, those of others are not', () => {
  const { svg } = looksFigures(reading, now, start).neighbours!;
  expect(count(svg, '<image')).toBe(2 + 8);
  // untrained 1, 0 of class 0 and 0, 2 of class 1: one; trained: all four
  expect(count(svg, `stroke="${SAME_CLASS}"`)).toBe(1 + 4);
  expect(svg).toContain('nearest, untrained: 1 of 4 right');
  expect(svg).toContain('nearest, trained: 4 of 4 right');
});

test('without a known start only the trained network is shown, without classes nothing is framed', () => {
  const { maps, neighbours } = looksFigures({ ...reading, train: held(4, 8, []) }, now, undefined);
  expect(count(maps!.svg, '<image')).toBe(4);
  expect(neighbours!.svg).not.toContain(SAME_CLASS);
  expect(neighbours!.svg).not.toContain('untrained');
});

test('without pictures there is no figure', () => {
  expect(looksFigures(reading, { maps: [], nearest: [] }, undefined)).toEqual({});
});
