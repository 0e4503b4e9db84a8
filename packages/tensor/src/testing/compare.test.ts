import { expect, test } from 'vitest';
import { relativeError, showIndex, worstOf } from './compare';

test('the worst element is named, relative to the largest expected value', () => {
  expect(worstOf([1, 2.5, 8], [1, 2, 10])).toEqual({ error: 0.2, at: 2 });
  expect(worstOf([0.25, 0], [0, 0])).toEqual({ error: 0.25, at: 0 });
});

test('an expected infinity does not hide the errors of others', () => {
  const infinity = Number.POSITIVE_INFINITY;
  expect(relativeError([infinity, 3], [infinity, 2])).toBe(0.5);
  expect(relativeError([1, 2], [infinity, 2])).toBe(infinity);
  expect(relativeError([-infinity], [infinity])).toBe(infinity);
});

test('NaN agrees with NaN only', () => {
  expect(relativeError([Number.NaN, 1], [Number.NaN, 1])).toBe(0);
  expect(relativeError([Number.NaN, 1], [0, 1])).toBe(Number.POSITIVE_INFINITY);
  expect(relativeError([0, 1], [Number.NaN, 1])).toBe(Number.POSITIVE_INFINITY);
});

test('arrays of different lengths are infinitely far apart', () => {
  expect(relativeError([1], [1, 2])).toBe(Number.POSITIVE_INFINITY);
});

test('a flat index says where it is', () => {
  expect(showIndex(7, [2, 5])).toBe('7 = [1, 2]');
  expect(showIndex(0, [])).toBe('0 = []');
});
