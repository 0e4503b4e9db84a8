import { expect, test } from 'vitest';
import { comparePieces } from './compare-pieces';

const piece = (values: readonly number[], output = 0) => [{ output, first: 0, values }];

test('the largest difference counts against the largest value of its output', () => {
  const own = [...piece([1, 2.5, -4]), ...piece([0.1, 0], 1)];
  const reference = [...piece([1, 2, -4]), ...piece([0.1, 0], 1)];
  expect(comparePieces(own, reference, ['f16', 'f32'])).toEqual({ compared: 5, difference: 0.125 });
});

test('NaN and infinity where f32 is finite are a problem, but where f32 leaves the range of f16', () => {
  expect(comparePieces(piece([Number.NaN]), piece([3]), ['f16']).problem).toBe('gives NaN at 0 where f32 gives 3');
  expect(comparePieces(piece([Number.POSITIVE_INFINITY]), piece([7e4]), ['f32']).problem).toMatch(/Infinity/);
  expect(comparePieces(piece([Number.POSITIVE_INFINITY, 1]), piece([7e4, 1]), ['f16'])).toEqual({
    compared: 1,
    difference: 0,
  });
});

test('what is not finite in f32 and whole numbers are not compared', () => {
  expect(comparePieces(piece([1, 2]), piece([Number.NaN, 2]), ['f16'])).toEqual({ compared: 1, difference: 0 });
  expect(comparePieces(piece([1]), piece([2]), ['u32'])).toEqual({ compared: 0, difference: 0 });
});

test('a difference from nothing but zeros is beyond any tolerance', () => {
  expect(comparePieces(piece([1e-9]), piece([0]), ['f16']).difference).toBe(Number.POSITIVE_INFINITY);
});
