import { expect, test } from 'vitest';
import { accuracy, anyHitRate, hitRate, meanPerClassAccuracy, perClassAccuracy, tally, topClasses } from './accuracy';

test('micro accuracy counts items, mean per class counts classes, absent classes are left out', () => {
  const counts = tally([0, 0, 0, 1], [0, 0, 0, 0], 3);
  expect(accuracy(counts)).toBe(0.75);
  const mixed = tally([0, 0, 0, 0], [0, 0, 0, 2], 3);
  expect(perClassAccuracy(mixed)).toEqual([1, null, 0]);
  expect(meanPerClassAccuracy(mixed)).toBe(0.5);
});

test('classes rank by score, equal scores by lowest class', () => {
  const data = Float32Array.of(1, 3, 3, 2, /**/ 0, 0, 0, 0);
  expect([...topClasses({ data, rows: 2, cols: 4 }, 3)]).toEqual([1, 2, 3, 0, 1, 2]);
  expect([...topClasses({ data, rows: 2, cols: 4 }, 9)]).toEqual([1, 2, 3, 0, 0, 1, 2, 3]);
});

test('top-k accuracy accepts the label anywhere among the k', () => {
  const ranked = Int32Array.of(1, 2, 0, 3);
  expect(hitRate(ranked, [2, 1])).toBe(0.5);
});

test('with several accepted labels any is right, and items without labels do not count', () => {
  const best = Int32Array.of(4, 1, 7);
  expect(anyHitRate(best, [[3, 4], [], [6]])).toBe(0.5);
  expect(anyHitRate(best, [[], [], []])).toBeUndefined();
});
