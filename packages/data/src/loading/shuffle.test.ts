import { describe, expect, it } from 'vitest';
import { shuffledOrder } from './shuffle';

const order = (length: number, seed: number, stream: number): number[] => {
  const at = shuffledOrder(length, seed, stream);
  return Array.from({ length }, (_, position) => at(position));
};

describe('shuffledOrder', () => {
  it.each([1, 2, 3, 5, 16, 17, 255, 1000])('visits every one of %i items exactly once', (length) => {
    expect(order(length, 7, 3).sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, index) => index));
  });

  it('is the same for the same seed and pass, and another for another seed or pass', () => {
    expect(order(100, 7, 0)).toEqual(order(100, 7, 0));
    expect(order(100, 7, 0)).not.toEqual(order(100, 8, 0));
    expect(order(100, 7, 0)).not.toEqual(order(100, 7, 1));
    expect(order(100, 7 + 2 ** 32, 0)).not.toEqual(order(100, 7, 0));
  });

  it('puts every item at every position equally often over many passes', () => {
    const length = 8;
    const passes = 4000;
    const counts = new Float64Array(length * length);
    for (let pass = 0; pass < passes; pass++) {
      order(length, 1, pass).forEach((item, position) => {
        counts[item * length + position]! += 1;
      });
    }
    // 64 cells of Binomial(4000, 1/8): mean 500, standard deviation 21; five of them bound every cell.
    for (const count of counts) expect(Math.abs(count - passes / length)).toBeLessThan(5 * 21);
  });

  it('does not keep neighbours together', () => {
    const items = order(2000, 5, 0);
    const adjacent = items.filter((item, position) => Math.abs(item - (items[position + 1] ?? item + 9)) === 1);
    // A uniform order has 2 adjacent pairs on average, Poisson distributed: more than 12 has probability 1e-6.
    expect(adjacent.length).toBeLessThan(12);
  });

  it('reaches any position of a set far too large to store', () => {
    const at = shuffledOrder(600_000_000, 1, 0);
    const seen = new Set(Array.from({ length: 1000 }, (_, position) => at(599_999_000 + position)));
    expect(seen.size).toBe(1000);
    for (const index of seen) expect(index).toBeLessThan(600_000_000);
  });
});
