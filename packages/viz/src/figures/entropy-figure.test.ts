import { expect, test } from 'vitest';
import { normalisedEntropy, positionEntropyChart, positionMapsFigure } from './entropy-figure';

test('entropy is 1 anywhere, 0 in one place, 1/2 on the square root of the places', () => {
  expect(normalisedEntropy(new Array(16).fill(7))).toBeCloseTo(1, 12);
  expect(normalisedEntropy([0, 9, 0, 0])).toBe(0);
  expect(normalisedEntropy([5, 5, 5, 5, ...new Array(12).fill(0)])).toBeCloseTo(0.5, 12);
  expect(normalisedEntropy([0, 0])).toBeNaN();
});

test('clusters are ranked from tied to free, rare ones are left out', () => {
  const counts = [10, 10, 10, 10, 40, 0, 0, 0, 1, 0, 0, 0, 20, 20, 0, 0];
  const { svg } = positionMapsFigure({ counts, clusters: 4, grid: [2, 2] });
  const order = [...svg.matchAll(/>cluster (\d)</g)].map((match) => match[1]);
  expect(order).toEqual(['1', '3', '0']);
  expect([...svg.matchAll(/>H = ([\d.]+)</g)].map((match) => match[1])).toEqual(['0.00', '0.50', '1.00']);
});

test('of many clusters an even selection is shown, both ends included', () => {
  const counts = Array.from({ length: 9 }, (_, k) => [20 + k, 20 - k]).flat();
  const { svg } = positionMapsFigure({ counts, clusters: 9, grid: [1, 2] }, { shown: 3 });
  expect([...svg.matchAll(/>cluster (\d)</g)].map((match) => match[1])).toEqual(['8', '4', '0']);
});

test('the histogram spans 0..1 with the median of each set', () => {
  const { svg } = positionEntropyChart([
    { name: 'before', values: [0.2, 0.3, 0.4] },
    { name: 'after', values: [0.8, 0.9, 1] },
  ]);
  expect(svg).toContain('before (median 0.3)');
  expect(svg).toContain('after (median 0.9)');
});

test('refuses counts that do not fit, and says when every cluster is too rare', () => {
  expect(() => positionMapsFigure({ counts: [1, 2, 3], clusters: 1, grid: [2, 2] })).toThrow(/needs 4/);
  expect(() => positionMapsFigure({ counts: [1, 2, 3, 4], clusters: 1, grid: [2, 2] })).toThrow(
    /none of 1 clusters has 20/,
  );
});
