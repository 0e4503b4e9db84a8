import { expect, test } from 'vitest';
import { auroc } from '../metrics/roc';
import { random } from '../numerics/random';
import { countItems, hitItems, scoreItems, valueItems } from './item-results';
import { bonettPrice, mcnemarPValue } from './mcnemar';
import { pairedDifference } from './paired-difference';
import { aurocScorer } from './weighted-auroc';

const hits = (pattern: readonly number[]) =>
  hitItems(
    pattern,
    pattern.map(() => 1),
  );
const many = (count: number, value: number) => Array.from({ length: count }, () => value);

test("McNemar's p-value is twice the tail of a fair coin, by hand", () => {
  expect(mcnemarPValue(0, 0)).toBe(1);
  expect(mcnemarPValue(3, 3)).toBe(1);
  expect(mcnemarPValue(5, 0)).toBeCloseTo(2 / 32, 12);
  expect(mcnemarPValue(1, 7)).toBeCloseTo((2 * (1 + 8)) / 256, 12);
  expect(mcnemarPValue(12, 5)).toBeCloseTo((2 * (1 + 17 + 136 + 680 + 2380 + 6188)) / 2 ** 17, 12);
  // the normal approximation with continuity correction, off by the order of 1 / m
  expect(mcnemarPValue(25_400, 24_600)).toBeGreaterThan(0.00035);
  expect(mcnemarPValue(25_400, 24_600)).toBeLessThan(0.00036);
});

test('right or wrong: the difference, its interval as published, and whether both agree that it is one', () => {
  const first = hits([...many(12, 1), ...many(5, 0), ...many(83, 1)]);
  const second = hits([...many(12, 0), ...many(5, 1), ...many(83, 1)]);
  const [p, q] = [13 / 102, 6 / 102];
  const half = 1.959963984540054 * Math.sqrt((p + q - (p - q) ** 2) / 102);
  const found = pairedDifference(first, second);
  expect(found).toMatchObject({ difference: 0.07, resolved: false, items: 100 });
  expect(found.low).toBeCloseTo(p - q - half, 12);
  expect(found.high).toBeCloseTo(p - q + half, 12);
  expect(pairedDifference(second, first)).toMatchObject({ difference: -0.07, low: -found.high, high: -found.low });
  const clear = pairedDifference(hits(many(20, 1)), hits([...many(8, 0), ...many(12, 1)]));
  expect(clear).toMatchObject({ difference: 0.4, resolved: true, pValue: expect.closeTo(2 / 2 ** 8, 12) });
  expect(bonettPrice(1, 0, 1)).toMatchObject({ high: 1 });
});

test('identical results differ by 0, which is not resolved, whatever they are', () => {
  const some = [0.3, 0.1, 0.7, 0.9, 0.4, 0.8];
  for (const items of [
    hits([1, 0, 1, 1]),
    valueItems(some),
    scoreItems(some, some),
    countItems(
      many(6, 0).map((c) => [c, 1, 2, 3]),
      { classes: 2 },
    ),
  ])
    expect(pairedDifference(items, items)).toMatchObject({ difference: 0, resolved: false });
});

test('the interval of a mean is the closed one for Gaussian differences, and the same each time', () => {
  const { normal } = random(5);
  const [a, b] = [0, 1].map((shift) => Array.from({ length: 400 }, () => normal() + shift));
  const differences = a!.map((value, i) => value - b![i]!);
  const mean = differences.reduce((sum, value) => sum + value, 0) / 400;
  const deviation = Math.sqrt(differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 399 / 400);
  const found = pairedDifference(valueItems(a!), valueItems(b!), { resamples: 10_000 });
  expect(found.difference).toBeCloseTo(mean, 6);
  // Student's 97.5 % quantile of 399. An end is a quantile of 10,000 draws, known to sqrt(0.025 x 0.975 / 10000) / 0.058 = 0.027 deviations: five of these.
  for (const [end, sign] of [
    [found.low, -1],
    [found.high, 1],
  ] as const)
    expect(Math.abs(end - (mean + sign * 1.966 * deviation))).toBeLessThan(5 * 0.027 * deviation);
  expect(found.resolved).toBe(true);
  expect(pairedDifference(valueItems(a!), valueItems(b!), { resamples: 10_000 })).toEqual(found);
});

test('95 % intervals hold the true difference about 95 times in 100, with few items too', () => {
  const draws = random(11);
  const SETS = 400;
  const holding = (result: () => { readonly low: number; readonly high: number }, truth: number) =>
    Array.from({ length: SETS }, result).filter(({ low, high }) => low <= truth && truth <= high).length / SETS;
  const values = holding(() => {
    const shared = Array.from({ length: 15 }, () => draws.normal());
    const own = () => valueItems(shared.map((value) => value + 0.5 * draws.normal()));
    return pairedDifference(own(), own(), { resamples: 400 });
  }, 0);
  // one model is right on 80 % and keeps 7/8 of that; the other gains a quarter of the rest: 0.8 against 0.75
  const accuracies = holding(() => {
    const right = Array.from({ length: 200 }, () => Number(draws.uniform() < 0.8));
    const other = right.map((hit) => Number(draws.uniform() < (hit ? 0.875 : 0.25)));
    return pairedDifference(hits(right), hits(other));
  }, 0.05);
  const detection = holding(() => {
    const sets = [0, 1].map((known) => Array.from({ length: 40 }, () => draws.normal() + known));
    const own = () => {
      const [outside, inside] = sets.map((set) => set.map((score) => score + draws.normal()));
      return scoreItems(inside!, outside!);
    };
    return pairedDifference(own(), own(), { resamples: 400 });
  }, 0);
  // the share of 400 sets is known to 0.011: four of these, and 0.01 more for intervals that are approximate
  for (const share of [values, accuracies, detection]) {
    expect(share).toBeGreaterThan(0.95 - 0.055);
    expect(share).toBeLessThan(0.95 + 0.05);
  }
});

test('AUROC of a resample is that of the items written out so often', () => {
  const [inside, outside] = [
    [0.9, 0.5, 0.5, 0.1],
    [0.5, 0.2, 0.9],
  ];
  const times = [2, 0, 1, 3, 1, 2, 1];
  const written = (from: readonly number[], counts: readonly number[]) =>
    from.flatMap((score, i) => many(counts[i]!, score));
  const scores = aurocScorer([...inside, ...outside], 4);
  expect(scores(times)).toBeCloseTo(
    auroc({ positive: written(inside, times.slice(0, 4)), negative: written(outside, times.slice(4)) }),
    12,
  );
});

test('a pooled mean is resampled by images: one that is wrong everywhere but in one image is not resolved', () => {
  const image = (hit: number) => [0, hit, 10, 10];
  const scoring = { classes: 1 };
  const second = countItems(many(30, 5).map(image), scoring);
  const lucky = countItems([...many(29, 5), 10].map(image), scoring);
  const better = countItems(many(30, 6).map(image), scoring);
  const found = pairedDifference(lucky, second);
  expect(found.difference).toBeCloseTo(155 / 445 - 150 / 450, 12);
  expect(found.resolved).toBe(false);
  expect(pairedDifference(better, second)).toMatchObject({ resolved: true });
});

test('a class that a resample has no image of does not pull models together', () => {
  const scoring = { classes: 21 };
  // 20 classes of one image each and a common one: the first model is right on all, the second on half of each
  const images = (hit: number) =>
    countItems(
      Array.from({ length: 40 }, (_, i) => [i < 20 ? i + 1 : 0, hit, hit, 10]),
      scoring,
    );
  const found = pairedDifference(images(10), images(5));
  expect(found).toMatchObject({ difference: 0.5, resolved: true });
  expect([found.low, found.high]).toEqual([expect.closeTo(0.5, 12), expect.closeTo(0.5, 12)]);
});

test('a handful of items resolves nothing', () => {
  expect(pairedDifference(valueItems([3, 3, 3]), valueItems([0, 0, 0]))).toMatchObject({
    difference: 3,
    resolved: false,
  });
  expect(pairedDifference(valueItems([3]), valueItems([0]))).toMatchObject({ low: 3, high: 3, resolved: false });
});

test('results on other items, of another kind or scored otherwise are refused', () => {
  const one = hits([1, 0]);
  expect(() => pairedDifference(one, hits([1]))).toThrow(/hits of 2 items and hits of 1; only results on the same/);
  expect(() => pairedDifference({ ...one, of: 'a' }, { ...one, of: 'b' })).toThrow(/2 other ones/);
  expect(() => pairedDifference(one, valueItems([1, 2]))).toThrow(/values of 2/);
  expect(() => pairedDifference(scoreItems([1, 2], [3]), scoreItems([1], [2, 3]))).toThrow(/only results/);
  const counts = (classes: number) => countItems([[0, 1, 1, 1]], { classes });
  expect(() => pairedDifference(counts(1), counts(2))).toThrow(/over other classes/);
  expect(() => pairedDifference(one, one, { resamples: 1 })).toThrow(/resamples is 1/);
});
