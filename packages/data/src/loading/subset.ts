/** Parts of a source: some of its images, as a source of their own; and a part held out for validation. */

import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkCount, checkOptions, DataError } from '../errors';
import { checkSource, type ImageSource } from '../images/image-source';
import { shuffledOrder } from './shuffle';

export interface HoldOutOptions {
  /** Share of the images that is held out, between 0 and 1. Default 0.1. */
  readonly share?: number;
  /** At most this many are held out. Default 10,000. */
  readonly atMost?: number;
  /** Chooses which. Keep it fixed: another one moves training images into validation. Default 0. */
  readonly seed?: number;
}

export const HOLD_OUT_OPTIONS: OptionKinds<HoldOutOptions> = { share: 'number', atMost: 'number', seed: 'number' };

export interface HeldOut {
  readonly train: ImageSource;
  readonly val: ImageSource;
}

/**
 * The images of `source` at `length` places: image `i` is image `at(i)` of the source.
 * @param runs see `ImageSource.runs`
 */
export function subset(
  source: ImageSource,
  name: string,
  length: number,
  at: (index: number) => number,
  runs?: readonly number[],
): ImageSource {
  checkSource('subset', source);
  checkArgument('subset', 'name', name, 'string');
  checkCount('subset', 'length', length, 0);
  checkArgument('subset', 'at', at, 'function');
  const {
    runs: _,
    close: __,
    fingerprint: ___,
    classCounts: ____,
    label,
    labels,
    difficult,
    unlistedClass,
    ...rest
  } = source;
  return {
    ...rest,
    name,
    length,
    ...(runs && { runs }),
    ...(label && { label: (index: number) => label(at(index)) }),
    ...(labels && { labels: (index: number) => labels(at(index)) }),
    ...(difficult && { difficult: (index: number) => difficult(at(index)) }),
    ...(unlistedClass && { unlistedClass: (index: number) => unlistedClass(at(index)) }),
    key: (index) => source.key(at(index)),
    version: (index) => source.version(at(index)),
    read: (index, signal) => source.read(at(index), signal),
  };
}

/**
 * Holds out a seeded random part for validation; the rest keeps its order. Close the source itself when both are done with.
 * @throws DataError `argument` when there is nothing left for one of the parts
 */
export function holdOut(source: ImageSource, options: HoldOutOptions = {}): HeldOut {
  checkSource('holdOut', source);
  checkOptions('holdOut', options, HOLD_OUT_OPTIONS);
  const { share = 0.1, atMost = 10_000, seed = 0 } = options;
  if (!(share > 0 && share < 1)) throw new DataError('argument', `share must lie between 0 and 1, got ${share}`);
  checkCount('holdOut', 'atMost', atMost, 1);
  if (source.length < 2) throw new DataError('argument', `${source.name} has too few images to hold some out`);
  const count = Math.max(1, Math.min(Math.round(share * source.length), atMost, source.length - 1));
  const order = shuffledOrder(source.length, seed, 0);
  const held = Float64Array.from({ length: count }, (_, position) => order(position)).sort();
  // The i-th image that stays stands behind as many held-out ones as have held[k] - k <= i.
  const staying = (index: number): number => index + countWhile(count, (k) => held[k]! - k <= index);
  const percent = `${Number(((100 * count) / source.length).toPrecision(2))} %`;
  const train = subset(
    source,
    `${source.name} less ${percent}`,
    source.length - count,
    staying,
    remainingRuns(source, held),
  );
  const of = (part: string): Pick<ImageSource, 'fingerprint'> =>
    source.fingerprint ? { fingerprint: { ...source.fingerprint, part } } : {};
  const val = subset(source, `${percent} of ${source.name}`, count, (index) => held[index]!);
  return {
    train: { ...train, ...of(`all but ${count} by seed ${seed}`), ...remainingClasses(source, held) },
    val: { ...val, ...of(`${count} by seed ${seed}`) },
  };
}

/** How many of the first of `length` places fulfil a condition that, once false, stays false. */
function countWhile(length: number, condition: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (condition(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Counts of the classes less those of the images that were held out. */
function remainingClasses(
  { classCounts, label, unlistedClass }: ImageSource,
  held: Float64Array,
): Pick<ImageSource, 'classCounts'> {
  if (!classCounts) return {};
  const perClass = [...classCounts.perClass];
  const unlisted = new Map(classCounts.unlisted);
  let { unlabelled } = classCounts;
  for (const index of held) {
    const own = label?.(index);
    const other = own === undefined ? unlistedClass?.(index) : undefined;
    if (own !== undefined) perClass[own]!--;
    else if (other === undefined) unlabelled--;
    else if (unlisted.get(other) === 1) unlisted.delete(other);
    else unlisted.set(other, unlisted.get(other)! - 1);
  }
  return { classCounts: { perClass, unlisted, unlabelled } };
}

function remainingRuns({ runs }: ImageSource, held: Float64Array): number[] | undefined {
  let end = 0;
  let before = 0;
  return runs?.map((length) => {
    end += length;
    const until = countWhile(held.length, (k) => held[k]! < end);
    const remaining = length - (until - before);
    before = until;
    return remaining;
  });
}
