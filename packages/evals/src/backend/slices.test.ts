import { expect, test } from 'vitest';
import { random } from '../numerics/random';
import { cut, emptySlices, powerAbove, sliceBits } from './slices';

test('slices add up to the number, and sums of their products are exact in f32', () => {
  const { uniform } = random(1);
  for (const length of [1, 13, 768, 4096]) {
    const bits = sliceBits(length);
    const values = Float64Array.from({ length }, () => 2 * uniform() - 1);
    const slices = emptySlices(length);
    cut(values, new Float64Array(length).fill(1), bits, slices);
    const { high, middle, low } = slices;
    for (let i = 0; i < length; i++) {
      expect(Math.abs(high[i]! + middle[i]! + low[i]! - values[i]!)).toBeLessThanOrEqual(2 ** (-2 * bits - 25));
      expect([Math.abs(high[i]!) <= 1, Math.abs(middle[i]!) <= 2 ** (-bits - 1)]).toEqual([true, true]);
    }
    const sum = (a: Float32Array, b: Float32Array, round: (value: number) => number) =>
      a.reduce((total, value, i) => round(total + value * b[i]!), 0);
    expect(sum(high, high.toReversed(), Math.fround)).toBe(sum(high, high.toReversed(), (value) => value));
    expect(sum(high, middle, Math.fround)).toBe(sum(high, middle, (value) => value));
  }
});

test('the worst case is exact as well: every product as large as can be', () => {
  for (const length of [768, 1536, 4096]) expect(length * 4 ** sliceBits(length)).toBeLessThanOrEqual(2 ** 24);
});

test('scales are powers of two, no less than what they scale', () => {
  expect([0, 1, 1.5, 2 ** 40, 0.3].map(powerAbove)).toEqual([1, 1, 2, 2 ** 40, 0.5]);
});
