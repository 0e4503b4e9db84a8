/**
 * The paired bootstrap: how far would a difference move had other items been drawn? Items are drawn anew with replacement, the same ones for both
 * models, and the difference is taken again, some thousand times; the interval is what the middle of these differences covers (percentile method).
 *
 * Plain percentiles are too narrow for few items, by `sqrt((n - 1) / n)` and by the normal quantile in place of Student's. So they are taken a
 * little further out, where for a mean they meet the t interval (Hesterberg 2015, "expanded percentile"): at `Phi(-t sqrt(n / (n - 1)))`.
 *
 * Draws come from a seeded generator in an order that nothing else depends on: equal input gives equal intervals.
 */
import { quickIntegers } from '../numerics/random';
import { Z95 } from './mcnemar';

export interface BootstrapOptions {
  readonly resamples: number;
  readonly seed: number;
}

/** Groups of items that are drawn within themselves: known and foreign images. */
export type ItemGroups = readonly number[];

/**
 * 95 % interval of a statistic of resamples; `statistic` gets how often each item is in one.
 *
 * @param groups how many items each group has, in the order of the items
 */
export function bootstrapInterval(
  groups: ItemGroups,
  statistic: (times: Uint16Array) => number,
  { resamples, seed }: BootstrapOptions,
): { low: number; high: number } {
  const draw = quickIntegers(seed);
  const times = new Uint16Array(groups.reduce((sum, size) => sum + size, 0));
  const found = Float64Array.from({ length: resamples }, () => {
    times.fill(0);
    let first = 0;
    for (const size of groups) {
      for (let i = 0; i < size; i++) times[first + draw(size)]!++;
      first += size;
    }
    return statistic(times);
  }).sort();
  const least = Math.min(...groups);
  const tail = least < 2 ? 0 : normalBelow(-studentQuantile(least) * Math.sqrt(least / (least - 1)));
  return { low: quantileOf(found, tail), high: quantileOf(found, 1 - tail) };
}

function quantileOf(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const [low, high] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
  return low + (at - below) * (high - low);
}

/** 97.5 % quantile of Student's t of n items, by its expansion in 1 / (n - 1); within 0.3 % from 5 items on. */
function studentQuantile(items: number): number {
  const v = items - 1;
  const z = Z95;
  const terms = [
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
  ];
  return terms.reduce((sum, term, i) => sum + term / v ** (i + 1), z);
}

/** Normal distribution function below 0, within 1e-7 (Abramowitz and Stegun 26.2.17). */
function normalBelow(x: number): number {
  const t = 1 / (1 - 0.2316419 * x);
  const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const sum = series.reduce((total, factor, i) => total + factor * t ** (i + 1), 0);
  return (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}
