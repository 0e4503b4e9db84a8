import { expect, test } from 'vitest';
import { elevenPointPrecision } from './average-precision';

test('eleven points of a curve drawn by hand', () => {
  // ranks: + - + - +; precisions at each rank 1, 1/2, 2/3, 1/2, 3/5; recalls 1/3, 1/3, 2/3, 2/3, 1
  const scores = [5, 4, 3, 2, 1];
  // at recalls 0 to 0.3 the best is 1, at 0.4 to 0.6 2/3, at 0.7 to 1 3/5
  expect(elevenPointPrecision(scores, [1, -1, 1, -1, 1])).toBeCloseTo((4 * 1 + 3 * (2 / 3) + 4 * 0.6) / 11, 15);
});

test('a recall that is exactly one of the eleven counts as reached', () => {
  // ten positives, of which three come first, then seven others, then the rest: recall 0.3 with precision 1
  const truth = [1, 1, 1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1, 1, 1, 1];
  const scores = truth.map((_, i) => -i);
  expect(elevenPointPrecision(scores, truth)).toBeCloseTo((4 * 1 + 7 * (10 / 17)) / 11, 15);
});

test('items that are not judged are left out, equal scores rank in their order', () => {
  const judged = elevenPointPrecision([3, 2, 1], [1, -1, 1]);
  expect(elevenPointPrecision([9, 3, 2, 2, 1], [0, 1, -1, 0, 1])).toBe(judged);
  expect(elevenPointPrecision([1, 1], [1, -1])).toBe(1);
  expect(elevenPointPrecision([1, 1], [-1, 1])).toBe(0.5);
});

test('a perfect ranking has 1; without positives there is none; wrong calls are refused', () => {
  expect(elevenPointPrecision([2, 1, 0], [1, 1, -1])).toBe(1);
  expect(elevenPointPrecision([2, 1], [-1, 0])).toBeNull();
  expect(() => elevenPointPrecision([1], [1, 1])).toThrow(/each item needs both/);
  expect(() => elevenPointPrecision([Number.NaN, 1], [1, 1])).toThrow(/NaN/);
});
