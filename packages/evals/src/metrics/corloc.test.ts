import { expect, test } from 'vitest';
import { type Box, corLoc, iou, isHit } from './corloc';

const truth: readonly Box[] = [[0, 0, 10, 10]];
const half: Box = [0, 0, 10, 5];
const below: Box = [0, 0, 10, 4];

test('exactly one half is a hit, in pixels of any number', () => {
  expect(isHit(half, truth)).toBe(true);
  expect(isHit(below, truth)).toBe(false);
  for (const side of [3, 7, 49, 333]) expect(isHit([0, 0, side, side], [[0, 0, 2 * side, side]])).toBe(true);
  expect(isHit([0, 0, 333, 333], [[0, 0, 667, 333]])).toBe(false);
});

test('boxes without area meet nothing', () => {
  expect([iou([4, 4, 4, 4], [4, 4, 4, 4]), iou([4, 4, 4, 9], [0, 0, 10, 10])]).toEqual([0, 0]);
  expect(isHit([4, 4, 4, 4], [[4, 4, 4, 4]])).toBe(false);
});

test('the rule counts; what other ways to resolve ties could make of it stands beside it', () => {
  const { perImage, ...score } = corLoc([
    { box: half, otherBoxes: [], truth },
    { box: half, otherBoxes: [below], truth },
    { box: below, otherBoxes: [half, [0, 0, 10, 10]], truth },
    { box: below, otherBoxes: [below], truth: [[20, 20, 30, 30], ...truth] },
  ]);
  expect(score).toEqual({
    corLoc: 0.5,
    hits: 2,
    images: 4,
    lowest: 0.25,
    highest: 0.75,
    meanBestIou: expect.closeTo((0.5 + 0.5 + 0.4 + 0.4) / 4, 15),
    tiedImages: 2,
  });
  expect(perImage).toEqual([
    { iou: 0.5, hit: true },
    { iou: 0.5, hit: true },
    { iou: 0.4, hit: false },
    { iou: 0.4, hit: false },
  ]);
});

test('pictures without objects, and no pictures, are refused', () => {
  expect(() => corLoc([{ box: half, otherBoxes: [], truth: [] }])).toThrow(/results\[0\] has no true box/);
  expect(() => corLoc([])).toThrow(/there are no pictures/);
});
