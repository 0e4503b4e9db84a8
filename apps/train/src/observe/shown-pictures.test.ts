import { expect, test } from 'vitest';
import { chooseShown, lookSize } from './shown-pictures';

test('the first picture of each class comes before a second of any', () => {
  expect(chooseShown([5, 5, 5, 7, 5, 9, 7], 7, 4)).toEqual([0, 3, 5, 1]);
  expect(chooseShown([5, 5, 5, 7, 5, 9, 7], 7, 2)).toEqual([0, 3]);
});

test('of many classes, and without labels, they are spread evenly', () => {
  expect(
    chooseShown(
      Array.from({ length: 12 }, (_, i) => i),
      12,
      3,
    ),
  ).toEqual([0, 4, 8]);
  expect(chooseShown([], 12, 3)).toEqual([0, 4, 8]);
});

test('there are no more than there are', () => {
  expect(chooseShown([], 2, 6)).toEqual([0, 1]);
  expect(chooseShown([], 0, 6)).toEqual([]);
});

test('the teacher looks at as many patches as objects need, or more where it is used to more', () => {
  expect(lookSize({ imgSize: 48, patchSize: 8 })).toBe(192);
  expect(lookSize({ imgSize: 518, patchSize: 14 })).toBe(518);
});
