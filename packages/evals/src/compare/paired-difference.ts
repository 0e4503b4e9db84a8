/**
 * Is one model better than another, or were the images kind to it? Both are scored on the same items, so what most items have in common (easy ones,
 * hard ones) falls out of the difference, and a much smaller one can be told from chance than by two separate error bars.
 *
 * Right or wrong items: McNemar's exact test, and an interval of the difference of accuracies (`mcnemar.ts`). Everything else: a paired bootstrap over
 * items (`bootstrap.ts`) of the mean, of AUROC (known and foreign items drawn for themselves), or of the mean IoU of pooled counts.
 *
 * A difference is resolved where its 95 % interval leaves out 0 (and, of right or wrong items, p is below 0.05). That is about other items of the same
 * kind; other seeds of a training are no part of it.
 */
import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOption, checkOptions, EvalsError } from '../errors';
import type { ItemResults } from '../outcome';
import { bootstrapInterval, type ItemGroups } from './bootstrap';
import { pooledScorer } from './class-counts';
import { type ReadItems, readItemResults } from './item-results';
import { bonettPrice, mcnemarPValue } from './mcnemar';
import { aurocScorer } from './weighted-auroc';

export interface PairedOptions {
  /** Of the bootstrap; default 2000, of more than 20,000 items 500, by which the ends are known to an eighth of the deviation. */
  readonly resamples?: number;
  /** Of its draws; default 0. */
  readonly seed?: number;
}

const OPTIONS: OptionKinds<PairedOptions> = { resamples: 'number', seed: 'number' };

/** The first result minus the second, in the unit of the value. */
export interface PairedDifference {
  readonly difference: number;
  /** Ends of the 95 % interval. */
  readonly low: number;
  readonly high: number;
  /** Exact, of McNemar's test; absent for what is bootstrapped. */
  readonly pValue?: number;
  /** Whether the difference can be told from 0 with these items. */
  readonly resolved: boolean;
  readonly items: number;
  /** By what means, in words. */
  readonly method: string;
}

/** With more of them fewer resamples are taken: each costs a pass over all. */
const MANY_ITEMS = 20_000;

/** With fewer items an interval says nothing. */
const LEAST_ITEMS = 5;

/**
 * @throws EvalsError `file` for results that are none, `options` where they are not of the same items
 */
export function pairedDifference(
  first: ItemResults,
  second: ItemResults,
  options: PairedOptions = {},
): PairedDifference {
  checkArgument('pairedDifference', 'first', first, 'object');
  checkArgument('pairedDifference', 'second', second, 'object');
  checkOptions('pairedDifference', options, OPTIONS);
  const { seed = 0, resamples = Math.max(first.items, second.items) > MANY_ITEMS ? 500 : 2000 } = options;
  checkOption(
    Number.isInteger(resamples) && resamples >= 100 && resamples <= 1e6,
    `resamples is ${resamples}; it must be a whole number from 100 to 1,000,000`,
  );
  const [a, b] = [readItemResults(first), readItemResults(second)];
  checkSame(a, b);
  if (a.kind === 'hits' && b.kind === 'hits') return hitsDifference(a.hits, b.hits);
  const [own, other] = [scorerOf(a), scorerOf(b)];
  const groups = groupsOf(a);
  const once = new Uint16Array(a.items).fill(1);
  const difference = own(once) - other(once);
  const { low, high } = bootstrapInterval(groups, (times) => own(times) - other(times), { resamples, seed });
  return {
    difference,
    low,
    high,
    resolved: (low > 0 || high < 0) && Math.min(...groups) >= LEAST_ITEMS,
    items: a.items,
    method: `paired bootstrap over items, ${resamples} resamples, seed ${seed}`,
  };
}

/**
 * The number that results of items make, as the evaluation reports it.
 *
 * @throws EvalsError `file` for results that are none
 */
export function itemsValue(given: ItemResults): number {
  const items = readItemResults(given);
  const once = new Uint16Array(items.items).fill(1);
  return scorerOf(items)(once);
}

function checkSame(a: ReadItems, b: ReadItems): void {
  const inside = [a, b].map((each) => (each.kind === 'scores' ? each.inside : 0));
  const same = a.kind === b.kind && a.items === b.items && inside[0] === inside[1] && a.of === b.of;
  if (!same)
    throw new EvalsError(
      'options',
      `pairedDifference: ${a.kind} of ${a.items} items and ${b.kind} of ${b.items}${a.of === b.of ? '' : ' other ones'}; ` +
        'only results on the same items can be paired',
    );
  if (a.kind === 'counts' && b.kind === 'counts' && JSON.stringify(a.over) !== JSON.stringify(b.over))
    throw new EvalsError('options', 'pairedDifference: the mean is taken over other classes; score both alike');
}

function hitsDifference(first: Uint8Array, second: Uint8Array): PairedDifference {
  const items = first.length;
  let [more, fewer] = [0, 0];
  for (let i = 0; i < items; i++) {
    if (first[i]! > second[i]!) more++;
    if (first[i]! < second[i]!) fewer++;
  }
  const { low, high } = bonettPrice(more, fewer, items);
  const pValue = mcnemarPValue(more, fewer);
  return {
    difference: (more - fewer) / items,
    low,
    high,
    pValue,
    resolved: (low > 0 || high < 0) && pValue < 0.05,
    items,
    method: "McNemar's exact test, interval of Bonett and Price",
  };
}

const groupsOf = (of: ReadItems): ItemGroups => (of.kind === 'scores' ? [of.inside, of.items - of.inside] : [of.items]);

function scorerOf(of: ReadItems): (times: ArrayLike<number>) => number {
  if (of.kind === 'scores') return aurocScorer(of.scores, of.inside);
  if (of.kind === 'counts') return pooledScorer(of);
  const values = of.kind === 'hits' ? of.hits : of.values;
  return (times) => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[i]! * times[i]!;
    return sum / values.length;
  };
}
