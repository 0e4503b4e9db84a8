import { expect, test } from 'vitest';
import { philox, randomBits, randomStream, seedWords, toUniform } from './philox';

test('Philox gives the published test vectors', () => {
  // Random123 distribution, kat_vectors: philox4x32 10
  expect(philox([0, 0, 0, 0], [0, 0]).map((word) => word.toString(16))).toEqual([
    '6627e8d5',
    'e169c58d',
    'bc57ac4c',
    '9b00dbd8',
  ]);
  const ones = 0xffffffff;
  expect(philox([ones, ones, ones, ones], [ones, ones]).map((word) => word.toString(16))).toEqual([
    '408f276d',
    '41c83b0e',
    'a20bc7c6',
    '6d5451fd',
  ]);
  expect(
    philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]).map((word) => word.toString(16)),
  ).toEqual(['d16cfe09', '94fdcceb', '5001e420', '24126ea1']);
});

test('a seed is a whole number of two words, low and high', () => {
  expect(seedWords(7)).toEqual([7, 0]);
  expect(seedWords(2 ** 32 - 1)).toEqual([0xffffffff, 0]);
  expect(seedWords(Number.MAX_SAFE_INTEGER)).toEqual([0xffffffff, 0x1fffff]);
  expect(randomBits(3 * 2 ** 32 + 2, 5, 6)).toBe(philox([1, 5, 0, 0], [2, 3])[2]);
  expect(randomStream(3 * 2 ** 32 + 2, 5).uniform()).toBe(toUniform(philox([0, 5, 0, 0], [2, 3])[0]));
});

test.each([-1, 0.5, Number.NaN, 2 ** 53, [1, 2] as never, '1' as never])('%s is no seed', (seed) => {
  expect(() => randomStream(seed, 0)).toThrow(/no whole number in 0 \.\. 2\^53 - 1/);
});
