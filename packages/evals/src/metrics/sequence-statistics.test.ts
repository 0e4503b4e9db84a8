import { expect, test } from 'vitest';
import { sequenceStatistics } from './sequence-statistics';

test('one half is no hit, and quarters share the frames they meet at', () => {
  // cut at frames 0, 1, 2, 3 and 4
  expect(sequenceStatistics([1, 0.5, 0.5, 0.6, 0])).toEqual({ mean: 2.6 / 5, recall: 2 / 5, decay: 0.75 - 0.3 });
});

test('a value that is none takes no part in means and is a miss', () => {
  const { mean, recall, decay } = sequenceStatistics([Number.NaN, 0.8, 0.6, 0.6, 0.2]);
  expect(mean).toBeCloseTo(0.55, 15);
  expect(recall).toBe(3 / 5);
  expect(decay).toBeCloseTo(0.8 - 0.4, 15);
});

test('one frame has no decay', () => {
  expect(sequenceStatistics([0.7])).toEqual({ mean: 0.7, recall: 1, decay: 0 });
});
