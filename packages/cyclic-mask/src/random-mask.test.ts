import { expect, test } from 'vitest';
import { seededRandom } from './random';
import { randomMask } from './random-mask';

test('every set of the given size is equally likely', () => {
  const random = seededRandom(1);
  const draws = 10_000;
  const seen = new Map<string, number>();
  for (let i = 0; i < draws; i++) {
    const key = randomMask({ height: 1, width: 5 }, 2, random).join('');
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  // 10 sets, binomial with mean 1,000 and standard deviation 30: five of them.
  expect(seen.size).toBe(10);
  for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
});
