import { expect, test } from 'vitest';
import { componentScores, principalComponents } from './principal-components';

/** Rows mean + sum_k a_k[n] axis_k with given axes and zero-mean, mutually orthogonal coefficient columns. */
function spanned(
  coefficients: number[][],
  axes: number[][],
  mean: number[],
): { data: Float64Array; rows: number; dim: number } {
  const data = coefficients.flatMap((row) =>
    mean.map((m, d) => m + row.reduce((sum, a, k) => sum + a * axes[k]![d]!, 0)),
  );
  return { data: Float64Array.from(data), rows: coefficients.length, dim: mean.length };
}

const axes = [
  [0.6, 0.8, 0, 0, 0, 0],
  [0, 0, 1, 0, 0, 0],
  [-0.8, 0.6, 0, 0, 0, 0],
];
/** Columns have squared lengths 72, 18 and 2 and are orthogonal to each other and to the ones. */
const coefficients = [
  [6, 0, 1],
  [-6, 0, 1],
  [0, 3, -1 + 0],
  [0, -3, -1],
];
const mean = [5, -1, 2, 0, 7, 1];
const wide = spanned(coefficients, axes, mean);
/** The same cloud twice over: now more rows than dimensions. */
const tall = spanned([...coefficients, ...coefficients], axes, mean);

test.each([
  ['Gram matrix (fewer rows than dimensions)', wide, 3],
  ['covariance (more rows than dimensions)', tall, 7],
])('finds known axes and variances by the %s', (_, rows, divisor) => {
  const pca = principalComponents(rows, 3);
  const repeats = rows.rows / 4;
  [72, 18, 4].forEach((squared, k) => {
    expect(pca.variances[k]).toBeCloseTo((squared * repeats) / divisor, 10);
    // The sign rule: the entry of largest magnitude is positive, so that the third axis turns around.
    const sign = k === 2 ? -1 : 1;
    axes[k]!.forEach((value, d) => {
      expect(pca.directions[k * 6 + d]).toBeCloseTo(sign * value, 10);
    });
  });
  expect(pca.totalVariance).toBeCloseTo((94 * repeats) / divisor, 10);
  expect([...pca.mean]).toEqual(mean.map((value) => expect.closeTo(value, 12)));
});

test('scores are the coefficients along the axes', () => {
  const scores = componentScores(principalComponents(wide, 3), wide);
  coefficients.forEach(([a, b, c], n) => {
    expect(scores[n * 3]).toBeCloseTo(a!, 10);
    expect(scores[n * 3 + 1]).toBeCloseTo(b!, 10);
    expect(scores[n * 3 + 2]).toBeCloseTo(-c!, 10);
  });
});

test('the sign of a component does not depend on the sign of the features', () => {
  const negated = { ...wide, data: wide.data.map((value) => -value) };
  const expected = principalComponents(wide, 2).directions;
  expect(Array.from(principalComponents(negated, 2).directions, (value) => value + 0)).toEqual(Array.from(expected));
});

test.each([
  ['few rows', wide],
  ['many rows', tall],
])('directions without variance are zero, not noise (%s)', (_, rows) => {
  const pca = principalComponents(rows, 6);
  expect([...pca.variances.slice(3)]).toEqual([0, 0, 0]);
  expect(pca.directions.slice(18).every((value) => value === 0)).toBe(true);
});

test('equal rows have no direction at all', () => {
  const pca = principalComponents({ data: new Float32Array(12).fill(3), rows: 4, dim: 3 }, 2);
  expect([...pca.variances, pca.totalVariance]).toEqual([0, 0, 0]);
});

test('equal input gives the same bits', () => {
  const data = Float32Array.from({ length: 40 * 12 }, (_, i) => Math.sin(i * i));
  const rows = { data, rows: 40, dim: 12 };
  expect(principalComponents(rows, 5)).toEqual(principalComponents(rows, 5));
});

test('refuses what is not a matrix of numbers', () => {
  expect(() => principalComponents({ data: [1, 2, 3], rows: 2, dim: 2 }, 1)).toThrow(/3 values.*needs 4/);
  expect(() => principalComponents({ data: [1, 2, Number.NaN, 4], rows: 2, dim: 2 }, 1)).toThrow(/NaN at index 2/);
  expect(() => principalComponents({ data: [1, 2, 3, 4], rows: 2, dim: 2 }, 3)).toThrow(/at most 2 exist/);
  expect(() => componentScores(principalComponents(wide, 1), { data: [1, 2], rows: 1, dim: 2 })).toThrow(/fitted on 6/);
});
