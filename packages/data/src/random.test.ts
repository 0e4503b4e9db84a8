import { describe, expect, it } from 'vitest';
import { createRandom, permutation } from './random';

describe('createRandom', () => {
  const draw = (count: number, random = createRandom({ seed: 7, position: 3, stream: 1 })): number[] =>
    Array.from({ length: count }, () => random.uniform());

  it('repeats itself from the same key', () => {
    expect(draw(9)).toEqual(draw(9));
  });

  it('continues exactly from a state that went through JSON', () => {
    const random = createRandom({ seed: 7, position: 3, stream: 1 });
    draw(6, random);
    const resumed = createRandom(JSON.parse(JSON.stringify(random.state)));
    expect(draw(7, resumed)).toEqual(draw(13).slice(6));
  });

  it('differs in every part of its key, past 32 bits too', () => {
    const base = { seed: 7, position: 3, stream: 1 };
    const keys = [base, { ...base, seed: 8 }, { ...base, position: 4 }, { ...base, stream: 2 }];
    keys.push({ ...base, seed: 7 + 2 ** 40 }, { ...base, position: 3 + 2 ** 40 });
    const firsts = keys.map((key) => createRandom(key).uniform());
    expect(new Set(firsts).size).toBe(keys.length);
  });

  it('is uniform: the mean of 40,000 draws lies within 5 standard errors of one half', () => {
    const values = draw(40_000);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan((5 * Math.sqrt(1 / 12)) / Math.sqrt(values.length));
  });
});

describe('permutation', () => {
  it('gives each of the 24 orders of 4 equally often', () => {
    const random = createRandom({ seed: 1, position: 0, stream: 0 });
    const counts = new Map<string, number>();
    const draws = 24_000;
    for (let i = 0; i < draws; i++) {
      const order = permutation(4, random).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // Binomial with p = 1/24: 5 standard deviations are 155.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(155);
  });
});
