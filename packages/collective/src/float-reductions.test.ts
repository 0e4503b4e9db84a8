import { expect, test } from 'vitest';
import { logSumExpOfRanks, maxOfRanks } from './float-reductions';

const { NEGATIVE_INFINITY: LOW, POSITIVE_INFINITY: HIGH } = Number;

test('log sum exp of ranks, far apart and beyond the range of exp', () => {
  const values = Float64Array.of(0, 1000, LOW, LOW, HIGH, 1, 0, 1000, LOW, 2, 1, Number.NaN);
  logSumExpOfRanks(values, 2);
  expect([...values.subarray(0, 6)]).toEqual([Math.log(2), 1000 + Math.log(2), LOW, 2, HIGH, Number.NaN]);
});

test('log sum exp of three ranks is that of their values', () => {
  const values = Float64Array.of(0.1, 0.7, -2);
  logSumExpOfRanks(values, 3);
  expect(values[0]).toBeCloseTo(Math.log(Math.exp(0.1) + Math.exp(0.7) + Math.exp(-2)), 14);
});

test('the maximum does not lose a NaN of any rank', () => {
  const values = Float32Array.of(1, Number.NaN, 3, 2, 2, Number.NaN);
  maxOfRanks(values, 2);
  expect([...values.subarray(0, 3)]).toEqual([2, Number.NaN, Number.NaN]);
});
