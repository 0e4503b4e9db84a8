/**
 * Two classifiers on the same items, by the items on which just one of them is right: `more` where it is the first, `fewer` where it is the
 * second. Items on which both are right or both wrong say nothing about which is better.
 *
 * McNemar's test: without a difference each of the `m = more + fewer` items is a fair coin, so the p-value is twice the smaller tail of a binomial
 * with m tosses, summed exactly at every m. The interval of the difference of accuracies is that of Bonett and Price (2012): Wald's with one item added
 * to either count, `(more - fewer) / (n + 2) +- z sqrt((p + q - (p - q)^2) / (n + 2))` with `p = (more + 1) / (n + 2)`, `q = (fewer + 1) / (n + 2)`, which keeps
 * its coverage for few items and never has length 0.
 */
import { checkOption } from '../errors';

/** Two-sided normal quantile of 95 %. */
export const Z95 = 1.959963984540054;

/**
 * Exact two-sided p-value.
 *
 * @throws EvalsError `options` for what is no count
 */
export function mcnemarPValue(more: number, fewer: number): number {
  checkOption(
    [more, fewer].every((count) => Number.isSafeInteger(count) && count >= 0),
    `mcnemarPValue: ${more} and ${fewer} items; give two whole numbers`,
  );
  const tosses = more + fewer;
  if (tosses === 0) return 1;
  // log of C(m, k) / 2^m, from one k to the next
  let log = -tosses * Math.LN2;
  let tail = 0;
  for (let k = 0; k <= Math.min(more, fewer); k++) {
    if (k > 0) log += Math.log((tosses - k + 1) / k);
    tail += Math.exp(log);
  }
  return Math.min(1, 2 * tail);
}

/** 95 % interval of the difference of two accuracies over `items` items. */
export function bonettPrice(more: number, fewer: number, items: number): { low: number; high: number } {
  const n = items + 2;
  const [p, q] = [(more + 1) / n, (fewer + 1) / n];
  const half = Z95 * Math.sqrt((p + q - (p - q) ** 2) / n);
  return { low: Math.max(-1, p - q - half), high: Math.min(1, p - q + half) };
}
