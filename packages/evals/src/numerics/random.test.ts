import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { expect, test } from 'vitest';
import { holdOut, permutation, random } from './random';

test('the same seed draws the same numbers, another seed others', () => {
  const three = (seed: number) => Array.from({ length: 3 }, random(seed).uniform);
  expect(three(5)).toEqual(three(5));
  expect(three(5)).not.toEqual(three(6));
});

test('normal draws have mean 0 and variance 1', () => {
  const { normal } = random(0);
  const draws = Array.from({ length: 20_000 }, normal);
  const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
  const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
  // Five standard errors: 1 / sqrt(n) for the mean, sqrt(2 / n) for the variance.
  expect(Math.abs(mean)).toBeLessThan(0.036);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
});

test('a permutation holds every number once', () => {
  expect([...permutation(50, random(1))].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

test('holding out splits the rows into two parts that cover all', () => {
  const { train, held } = holdOut(25, 0.1, 3);
  expect(held.length).toBe(3);
  expect([...train, ...held].sort((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, i) => i));
});

test('both words of a seed count, and seeds of one word draw what the generator draws by itself', () => {
  expect(random(5).uniform()).toBe(uniformFloat64(xoroshiro128plus(5)));
  expect(random(5 + 2 ** 32).uniform()).not.toBe(random(5).uniform());
});

test.each([-1, 0.5, Number.NaN, 2 ** 53])('%d is no seed', (seed) => {
  expect(() => random(seed)).toThrow(/whole number in 0 \.\. 2\^53 - 1/);
});
