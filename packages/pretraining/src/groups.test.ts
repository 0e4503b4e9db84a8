import { expect, test } from 'vitest';
import { groupParts, mostOnARank, rowOf, wholeGroups } from './groups';

test('whole groups on a rank, one after the other', () => {
  const batch = { perDevice: 4, group: 2 };
  expect(wholeGroups(batch)).toBe(true);
  expect(groupParts(batch, 1)).toEqual([
    { group: 2, first: 0, end: 2, at: 0 },
    { group: 3, first: 0, end: 2, at: 2 },
  ]);
});

test('groups that are cut between ranks', () => {
  const batch = { perDevice: 4, group: 6 };
  expect(wholeGroups(batch)).toBe(false);
  expect([0, 1, 2].map((rank) => groupParts(batch, rank))).toEqual([
    [{ group: 0, first: 0, end: 4, at: 0 }],
    [
      { group: 0, first: 4, end: 6, at: 0 },
      { group: 1, first: 0, end: 2, at: 2 },
    ],
    [{ group: 1, first: 2, end: 6, at: 0 }],
  ]);
});

test('a sample of a group has its row where its image is: crop by crop in both', () => {
  const batch = { perDevice: 4, group: 6 };
  const [, part] = groupParts(batch, 1);
  // group 1 has images 0..5, of which 0 and 1 are images 2 and 3 of this rank; samples 6..11 are their second crops
  expect([0, 1, 2, 5, 6, 7, 8].map((sample) => rowOf(sample, part!, batch))).toEqual([
    2,
    3,
    undefined,
    undefined,
    6,
    7,
    undefined,
  ]);
});

test('the most that a rank can have counts each part of a group by itself', () => {
  // two of each group: ranks 0 and 2 hold four images of one, rank 1 two of both
  expect(mostOnARank({ perDevice: 4, group: 6 }, 3, (images) => Math.min(images, 2))).toBe(4);
  expect(mostOnARank({ perDevice: 4, group: 2 }, 3, (images) => 10 * images)).toBe(40);
});
