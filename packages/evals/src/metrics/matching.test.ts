import { expect, test } from 'vitest';
import { random } from '../numerics/random';
import { hungarianMatch, manyToOneMatch, renamed } from './matching';
import { meanIou, perClassIou } from './mean-iou';

function permutations(items: number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

test.each([1, 2, 3, 4])(
  'the Hungarian match of a random 6 x 6 table is as good as the best of all 720 (seed %i)',
  (seed) => {
    const { integer } = random(seed);
    const table = { counts: Float64Array.from({ length: 36 }, () => integer(20)), clusters: 6, classes: 6 };
    const score = (match: Int32Array) => meanIou(perClassIou(renamed(table, match), 6));
    const best = Math.max(...permutations([0, 1, 2, 3, 4, 5]).map((match) => score(Int32Array.from(match))));
    expect(score(hungarianMatch(table))).toBeCloseTo(best, 12);
  },
);

test('more clusters than classes leave the worst ones unnamed, fewer leave classes without a cluster', () => {
  const more = { counts: Float64Array.of(1, 0, 9, 1, 0, 9), clusters: 3, classes: 2 };
  expect([...hungarianMatch(more)]).toEqual([-1, 0, 1]);
  expect([...renamed(more, hungarianMatch(more))]).toEqual([9, 1, 0, 9, 1, 0]);
  const fewer = { counts: Float64Array.of(0, 5, 0), clusters: 1, classes: 3 };
  expect([...hungarianMatch(fewer)]).toEqual([1]);
});

test('many to one by precision is the majority; by IoU a small class can win', () => {
  // Cluster 0 holds 6 of the 100 pixels of class 0 and all 5 of class 1.
  const table = { counts: Float64Array.of(6, 5, 94, 0), clusters: 2, classes: 2 };
  expect([...manyToOneMatch(table, 'precision')]).toEqual([0, 0]);
  expect([...manyToOneMatch(table, 'iou')]).toEqual([1, 0]);
});

test('ties and empty clusters go to the lowest class', () => {
  const table = { counts: Float64Array.of(2, 2, 0, 0), clusters: 2, classes: 2 };
  expect([...manyToOneMatch(table, 'precision')]).toEqual([0, 0]);
});
