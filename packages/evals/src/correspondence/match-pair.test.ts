import { expect, test } from 'vitest';
import type { PatchFeatures } from '../features';
import type { KeyPointPair } from './key-point-pair';
import { matchPair } from './match-pair';

/** A grid of 4 x 4 cells, each with a feature of its own. */
const cellsApart: PatchFeatures = {
  dim: 16,
  grid: [4, 4],
  patches: Float32Array.from({ length: 256 }, (_, i) => Number(i % 17 === 0)),
};
const pair: KeyPointPair = {
  name: 'a-b',
  category: 0,
  sourceSize: [300, 200],
  targetSize: [100, 200],
  // the first point lies on the centre of the source's cell (1, 3) of 4 x 4 with centres at the corners
  points: [
    { name: 'nose', source: [300, 100.9], target: [99.9, 61.5] },
    { name: 'tail', source: [0, 0], target: [0, 0] },
  ],
  targetBox: [10, 20, 60, 120],
};

test('errors are of the corner of the cell to the truncated point, in longer sides of the box; PCK is of its centre to the point itself', () => {
  const { cells, found, errors, pckErrors, chance } = matchPair(cellsApart, cellsApart, pair, 40);
  // 100 of 300 px is 13 of 40, 0.325 of the side and so cell row 0.975: nearest to row 1
  expect([...cells]).toEqual([7, 0]);
  // truth: (99, 61) of 200 px are (19, 12) of 40 px; cell 7 begins at (0.75, 0.25); the box is 100 of 200 px
  expect(errors[0]).toBeCloseTo(Math.hypot(0.75 - 19 / 40, 0.25 - 12 / 40) / 0.5, 12);
  expect(pckErrors[0]).toBeCloseTo(Math.hypot(0.875 - 99.9 / 200, 0.375 - 61.5 / 200) / 0.5, 12);
  expect(found).toEqual([
    [175, 75],
    [25, 25],
  ]);
  expect([errors[1], pckErrors[1]]).toEqual([0, Math.hypot(25, 25) / 100]);
  // of the corners, every 50 px, one lies within 10 px of the origin and none of (95, 60)
  expect([...chance]).toEqual([0, 1 / 16]);
});

test('the cell at the truth of a grid that the picture fills is right, the one beside it is not', () => {
  const square = { ...pair, sourceSize: [40, 40], targetSize: [40, 40], targetBox: [0, 0, 40, 40] } as const;
  const points = [0, 1, 2, 3].map((at) => ({ name: `${at}`, source: [0, 0], target: [10 * at, 0] }) as const);
  const { errors } = matchPair(cellsApart, cellsApart, { ...square, points }, 40);
  expect([...errors]).toEqual([0, 0.25, 0.5, 0.75]);
});

test('a point outside its picture, an empty box and a side of no pixels are refused', () => {
  const match =
    (change: Partial<KeyPointPair>, side = 40) =>
    () =>
      matchPair(cellsApart, cellsApart, { ...pair, ...change }, side);
  expect(match({ points: [{ name: 'ear', source: [301, 0], target: [0, 0] }] })).toThrow(
    /point ear of a-b is at \(301, 0\), outside its picture of 300 x 200/,
  );
  expect(match({ targetBox: [10, 20, 10, 30] })).toThrow(/targetBox of a-b is \[10,20,10,30\]/);
  expect(match({ targetSize: [0, 5] })).toThrow(/targetSize of a-b/);
  expect(match({}, 0)).toThrow(/side is 0/);
});
