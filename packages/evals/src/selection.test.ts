import { expect, test } from 'vitest';
import { selectedOn, selectionSets } from './selection';

const train = Array.from({ length: 20 }, (_, i) => i);
const other = [100, 101];
const take = (set: readonly number[], items: Int32Array): readonly number[] => Array.from(items, (i) => set[i]!);
const sets = (options: Parameters<typeof selectionSets<readonly number[]>>[1]) =>
  selectionSets<readonly number[]>({ train, test: other }, options, train.length, take);

test('by default a tenth of train is held out, and nothing is lost or used twice', () => {
  const { fitted, judge } = sets({});
  expect(judge).toHaveLength(2);
  expect([...fitted, ...judge].toSorted((a, b) => a - b)).toEqual(train);
  expect(selectedOn('train-holdout')).toBe('train-holdout');
});

test('the test set or a validation set leave train whole', () => {
  expect(sets({ select: 'test' })).toEqual({ fitted: train, judge: other });
  expect(sets({ select: { validation: [7] } })).toEqual({ fitted: train, judge: [7] });
  expect(selectedOn({ validation: [7] })).toBe('validation');
});
