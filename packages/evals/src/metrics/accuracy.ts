/**
 * Accuracy of ranked predictions. `micro` accuracy is the share of items that are right; `mean per class` averages each
 * class's own share (its recall), so that a frequent class weighs no more than a rare one. Classes without items are left
 * out of that mean.
 */

import { checkArgument, checkOption, EvalsError } from '../errors';

/** Items right per class and items per class. */
export interface ClassTally {
  readonly right: Float64Array;
  readonly count: Float64Array;
}

/**
 * Tallies predictions against labels.
 *
 * @throws EvalsError `bad-option` when there is not one prediction per label, `bad-labels` when one is none of the classes
 */
export function tally(predicted: ArrayLike<number>, labels: ArrayLike<number>, classes: number): ClassTally {
  checkArgument('tally', 'predicted', predicted, 'list');
  checkArgument('tally', 'labels', labels, 'list');
  checkOption(Number.isInteger(classes) && classes >= 0, `tally: classes is ${classes}; it must be a whole number`);
  checkOption(
    predicted.length === labels.length,
    `tally: ${predicted.length} predictions for ${labels.length} labels; each item needs both`,
  );
  const right = new Float64Array(classes);
  const count = new Float64Array(classes);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!(label >= 0 && label < classes))
      throw new EvalsError('bad-labels', `tally: label ${label} is none of ${classes} classes; number them from 0`);
    count[label]! += 1;
    if (predicted[i] === label) right[label]! += 1;
  }
  return { right, count };
}

/** Share of items that are right; 0 where there are none. */
export function accuracy(counts: ClassTally): number {
  checkTally('accuracy', counts);
  const { right, count } = counts;
  const total = sum(count);
  return total === 0 ? 0 : sum(right) / total;
}

/** Recall of each class; `null` where the class has no items. */
export function perClassAccuracy(counts: ClassTally): (number | null)[] {
  checkTally('perClassAccuracy', counts);
  const { right, count } = counts;
  return Array.from(right, (hits, c) => (count[c]! > 0 ? hits / count[c]! : null));
}

/** Mean recall over the classes that occur; 0 where none does. */
export function meanPerClassAccuracy(counts: ClassTally): number {
  const recalls = perClassAccuracy(counts).filter((recall) => recall !== null);
  return recalls.length === 0 ? 0 : sum(recalls) / recalls.length;
}

function checkTally(what: string, counts: ClassTally): void {
  checkArgument(what, 'the tally', counts, 'object');
  checkArgument(what, 'right', counts.right, 'list');
  checkArgument(what, 'count', counts.count, 'list');
}

/** Scores of `cols` classes for each of `rows` items, row-major. */
export interface ClassScores {
  readonly data: Float32Array | Float64Array;
  readonly rows: number;
  readonly cols: number;
}

/** The `k` best classes of each item, best first, `[rows, min(k, cols)]`; equal scores rank by lowest class. */
export function topClasses(scores: ClassScores, k: number): Int32Array {
  checkArgument('topClasses', 'scores', scores, 'object');
  const { data, rows, cols } = scores;
  checkOption(
    ArrayBuffer.isView(data) && data.length === rows * cols,
    `topClasses: the scores are no typed array [${rows}, ${cols}]; give { data, rows, cols }`,
  );
  checkOption(Number.isInteger(k) && k >= 1, `topClasses: k is ${k}; it must be a positive integer`);
  const keep = Math.min(k, cols);
  const out = new Int32Array(rows * keep);
  for (let i = 0; i < rows; i++) {
    const row = data.subarray(i * cols, (i + 1) * cols);
    const ranked = out.subarray(i * keep, (i + 1) * keep);
    for (let c = 0; c < cols; c++) {
      let at = Math.min(c, keep);
      while (at > 0 && row[c]! > row[ranked[at - 1]!]!) at--;
      ranked.copyWithin(at + 1, at);
      if (at < keep) ranked[at] = c;
    }
  }
  return out;
}

/** The first of each item's ranked classes `[n, k]`. */
export function firstChoices(ranked: Int32Array, items: number): Int32Array {
  const k = items === 0 ? 1 : ranked.length / items;
  return Int32Array.from({ length: items }, (_, i) => ranked[i * k]!);
}

/** Share of items whose label is among their ranked classes `[n, k]`. */
export function hitRate(ranked: Int32Array, labels: ArrayLike<number>): number {
  checkArgument('hitRate', 'labels', labels, 'list');
  return (
    anyHitRate(
      ranked,
      Array.from(labels, (label) => [label]),
    ) ?? 0
  );
}

/**
 * Share of items with any accepted label among their ranked classes `[n, k]` (ImageNet-ReaL). Items without accepted
 * labels are left out; `undefined` where none is left.
 */
export function anyHitRate(ranked: Int32Array, accepted: readonly (readonly number[])[]): number | undefined {
  checkArgument('anyHitRate', 'ranked', ranked, 'Int32Array');
  checkArgument('anyHitRate', 'accepted', accepted, 'list');
  const k = accepted.length === 0 ? 0 : ranked.length / accepted.length;
  checkOption(
    Number.isInteger(k) && accepted.every((labels) => Array.isArray(labels)),
    `anyHitRate: ${ranked.length} ranked classes for ${accepted.length} items; give [n, k] and one list of classes per item`,
  );
  let hits = 0;
  let counted = 0;
  accepted.forEach((labels, i) => {
    if (labels.length === 0) return;
    counted += 1;
    if (ranked.subarray(i * k, (i + 1) * k).some((c) => labels.includes(c))) hits += 1;
  });
  return counted === 0 ? undefined : hits / counted;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
