import { expect, test } from 'vitest';
import { random } from '../numerics/random';
import { aupr, auroc, falsePositiveRate } from './roc';

/** Every pair compared: P(positive > negative) + P(equal) / 2. */
function pairwise(positive: number[], negative: number[]): number {
  let wins = 0;
  for (const p of positive) for (const n of negative) wins += p > n ? 1 : p === n ? 0.5 : 0;
  return wins / (positive.length * negative.length);
}

test.each([3, 5, 50])('AUROC with scores tied over %i levels equals comparing every pair', (levels) => {
  const { integer } = random(levels);
  const positive = Array.from({ length: 41 }, () => integer(levels) + 1);
  const negative = Array.from({ length: 67 }, () => integer(levels));
  expect(auroc({ positive, negative })).toBeCloseTo(pairwise(positive, negative), 12);
});

test('AUROC is 0.5 when all scores are equal, 1 when they separate, 0 when they are reversed', () => {
  expect(auroc({ positive: [7, 7], negative: [7, 7, 7] })).toBe(0.5);
  expect(auroc({ positive: [2, 3], negative: [0, 1] })).toBe(1);
  expect(auroc({ positive: [0, 1], negative: [2, 3] })).toBe(0);
});

test('AUROC of two unit Gaussians d apart is Phi(d / sqrt 2)', () => {
  const { normal } = random(11);
  const positive = Array.from({ length: 20_000 }, () => normal() + 1);
  const negative = Array.from({ length: 20_000 }, normal);
  // Phi(1 / sqrt 2) = 0.76025; five standard errors of the estimate (Hanley-McNeil, about 0.0024) are 0.012.
  expect(Math.abs(auroc({ positive, negative }) - 0.76025)).toBeLessThan(0.012);
});

test('AUPR joins the points of the curve by straight lines, from recall 0 and precision 1', () => {
  // Thresholds 3, 2, 1: (recall, precision) = (1/2, 1), (1/2, 1/2), (1, 2/3).
  expect(aupr({ positive: [3, 1], negative: [2] })).toBeCloseTo(0.5 * 1 + 0.5 * ((1 / 2 + 2 / 3) / 2), 12);
  expect(aupr({ positive: [1, 1], negative: [1, 1] })).toBeCloseTo(0.75, 12);
});

test('FPR is read at the first threshold that reaches the recall', () => {
  const positive = Array.from({ length: 20 }, (_, i) => i + 1);
  const negative = [0, 1.5, 2, 2.5, 30];
  // 19 of 20 positives score at least 2: three of five negatives do too.
  expect(falsePositiveRate({ positive, negative })).toBe(0.6);
  expect(falsePositiveRate({ positive, negative }, 1)).toBe(0.8);
});

test('a group without items or with NaN is refused', () => {
  expect(() => auroc({ positive: [], negative: [1] })).toThrow(/0 positive and 1 negative/);
  expect(() => auroc({ positive: [Number.NaN], negative: [1] })).toThrow(/NaN/);
});

test('60,000 scores with ties of all sizes have the AUROC of their mid-ranks', () => {
  const { normal } = random(3);
  const draw = (count: number, shift: number) =>
    Float64Array.from({ length: count }, () => Math.round(500 * (normal() + shift)));
  const [positive, negative] = [draw(20_000, 0.5), draw(40_000, 0)];
  const all = [...positive, ...negative].sort((a, b) => a - b);
  const ranks = new Map<number, number>();
  for (let begin = 0; begin < all.length; ) {
    let end = begin;
    while (end < all.length && all[end] === all[begin]) end++;
    ranks.set(all[begin]!, (begin + 1 + end) / 2);
    begin = end;
  }
  const sum = positive.reduce((total, score) => total + ranks.get(score)!, 0);
  const expected = (sum - (20_000 * 20_001) / 2) / (20_000 * 40_000);
  expect(auroc({ positive, negative })).toBeCloseTo(expected, 12);
});
