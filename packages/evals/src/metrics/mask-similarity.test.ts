import { expect, test } from 'vitest';
import { random } from '../numerics/random';
import { boundaryAccuracy, boundaryMap, regionSimilarity } from './mask-similarity';

/** A mask of about one pixel in `sparse`. */
function noise(rows: number, cols: number, sparse: number, seed: number): Uint8Array {
  const draws = random(seed);
  return Uint8Array.from({ length: rows * cols }, () => Number(draws.uniform() * sparse < 1));
}

/** F by its definition: whether any pixel of the other outline lies within the radius. */
function slowF(truth: Uint8Array, predicted: Uint8Array, [rows, cols]: readonly [number, number]): number {
  const outlines = [truth, predicted].map((mask) => boundaryMap(mask, [rows, cols]));
  const places = outlines.map((outline) => [...outline.keys()].filter((i) => outline[i] === 1));
  const radius = Math.ceil(0.008 * Math.sqrt(rows ** 2 + cols ** 2));
  const isNear = (i: number, j: number): boolean =>
    (Math.floor(i / cols) - Math.floor(j / cols)) ** 2 + ((i % cols) - (j % cols)) ** 2 <= radius ** 2;
  const [recall, precision] = [places, places.toReversed()].map(
    ([own, other]) => own!.filter((i) => other!.some((j) => isNear(i, j))).length / own!.length,
  );
  return (2 * precision! * recall!) / (precision! + recall!);
}

test.each([
  [31, 47, 50],
  [200, 70, 900],
  [1, 300, 40],
  [260, 3, 60],
])('F of sparse pixels on %i x %i is that of all pairs', (rows, cols, sparse) => {
  const [truth, predicted] = [noise(rows, cols, sparse, 1), noise(rows, cols, sparse, 2)];
  expect(boundaryAccuracy(truth, predicted, [rows, cols])).toBe(slowF(truth, predicted, [rows, cols]));
});

test('any value but 0 belongs to a mask', () => {
  const [ones, threes] = [Uint8Array.of(0, 1, 1, 0), Uint8Array.of(0, 3, 255, 0)];
  expect(regionSimilarity(ones, threes)).toBe(1);
  expect(boundaryMap(threes, [2, 2])).toEqual(boundaryMap(ones, [2, 2]));
  expect(boundaryAccuracy(ones, threes, [2, 2])).toBe(1);
});

test('the lower right corner is never on an outline, the upper left one where it is unlike a neighbour', () => {
  expect([...boundaryMap(Uint8Array.of(0, 0, 0, 0, 0, 1), [2, 3])]).toEqual([0, 1, 1, 0, 1, 0]);
  expect([...boundaryMap(Uint8Array.of(1, 0, 0, 0), [2, 2])]).toEqual([1, 0, 0, 0]);
});

test('an empty mask is nowhere: J and F are 1 with another one, 0 with any object', () => {
  const [none, some] = [new Uint8Array(12), Uint8Array.from({ length: 12 }, (_, i) => Number(i === 5))];
  for (const [truth, predicted, value] of [
    [none, none, 1],
    [none, some, 0],
    [some, none, 0],
  ] as const) {
    expect(regionSimilarity(truth, predicted)).toBe(value);
    expect(boundaryAccuracy(truth, predicted, [3, 4])).toBe(value);
  }
});
