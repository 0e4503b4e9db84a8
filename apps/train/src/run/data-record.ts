/**
 * Which pictures a run learns from: a hash over their keys in order, some of the keys in words, and the classes. A checkpoint holds it, so that a run that goes on
 * with other pictures, be they as many as before, is found out. A key names a picture within its source; what is in the file is not read.
 * Of a source of more than 2^24 pictures keys are not asked for one by one: its own fingerprint, which is made of hashes of them, stands for all.
 */
import { createHash } from 'node:crypto';
import type { DataSplits, ImageSource } from '@franca/data';
import { z } from 'zod';

/** A list of names, to be compared with a later one. */
export interface NameRecord {
  readonly count: number;
  /** SHA-256 over all names, each ended by a zero byte; of very many over what the source tells of them. */
  readonly sha256: string;
  /** Every n-th name, so that there are few: all of a short list. */
  readonly some: readonly string[];
}

export interface DataRecord {
  readonly train: NameRecord;
  readonly val: NameRecord;
  readonly classes: NameRecord;
  /** The text that a generated world was asked for by, as its pictures have numbers for keys. */
  readonly world?: string | undefined;
}

const names = z.object({
  count: z.number().int().nonnegative(),
  sha256: z.string(),
  some: z.array(z.string()),
});
export const dataRecord: z.ZodType<DataRecord> = z.object({
  train: names,
  val: names,
  classes: names,
  world: z.string().optional(),
});

const MOST_NAMES = 512;
const NAMES_AT_ONCE = 4096;
const MOST_HASHED = 2 ** 24;

const distance = (count: number): number => Math.max(1, Math.ceil(count / MOST_NAMES));

function recordNames(count: number, nameOf: (index: number) => string): NameRecord {
  const hash = createHash('sha256');
  for (let start = 0; start < count; start += NAMES_AT_ONCE) {
    const end = Math.min(count, start + NAMES_AT_ONCE);
    hash.update(Array.from({ length: end - start }, (_, i) => `${nameOf(start + i)}\0`).join(''));
  }
  return { count, sha256: hash.digest('hex'), some: someNames(count, nameOf) };
}

function someNames(count: number, nameOf: (index: number) => string): string[] {
  const step = distance(count);
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => nameOf(i * step));
}

function recordKeys({ length, fingerprint, key }: ImageSource): NameRecord {
  if (!fingerprint || fingerprint.images <= MOST_HASHED) return recordNames(length, key);
  const sha256 = createHash('sha256').update(JSON.stringify(fingerprint)).digest('hex');
  return { count: length, sha256, some: someNames(length, key) };
}

/** Records data that were asked for by `spec`. */
export function recordData(spec: string, { train, val }: Pick<DataSplits, 'train' | 'val'>): DataRecord {
  const classes = train.classes ?? [];
  return {
    train: recordKeys(train),
    val: recordKeys(val),
    classes: recordNames(classes.length, (index) => classes[index]!),
    ...(/^world(:|$)/.test(spec) ? { world: spec } : {}),
  };
}

/** How the pictures `now` are others than `before`, in words; undefined where they are the same. */
export function dataDifference(before: DataRecord, now: DataRecord): string | undefined {
  return (
    nameDifference('picture', before.train, now.train) ??
    nameDifference('held-out picture', before.val, now.val) ??
    nameDifference('class', before.classes, now.classes) ??
    (before.world === now.world
      ? undefined
      : `the data were ${before.world ?? 'files'} and are ${now.world ?? 'files'}`)
  );
}

/** Places are counted from 1. */
function nameDifference(what: string, before: NameRecord, now: NameRecord): string | undefined {
  if (before.sha256 === now.sha256) return undefined;
  const plural = what === 'class' ? 'classes' : `${what}s`;
  if (before.count !== now.count) return `there were ${before.count} ${plural} and are ${now.count}${firstOther()}`;
  return `${firstOther().slice(2) || `${plural} of other names lie between those that are recorded`}; there are ${now.count}, as before`;

  function firstOther(): string {
    const step = distance(before.count);
    if (step !== distance(now.count)) return '';
    const at = before.some.findIndex((name, i) => now.some[i] !== undefined && now.some[i] !== name);
    return at < 0 ? '' : `; ${what} ${at * step + 1} was ${before.some[at]} and is ${now.some[at]}`;
  }
}
