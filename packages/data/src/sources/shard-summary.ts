/** The summary of a shard as JSON, and back from a file that nobody vouches for. */

import { DataError } from '../errors';
import type { LeftOut } from './left-out';
import type { CrowdedKeys, LeftOutReason, ShardIdentity, ShardSummary, ValueCount } from './shard-index';

const REASONS: readonly LeftOutReason[] = ['repeated', 'badLabels', 'imageless', 'unusable', 'irregular', 'passedOver'];

/** The JSON of a summary. Of a thousand labels the names stand in one list and the counts in another, which is read several times faster. */
export function summaryText(summary: ShardSummary, { size, version }: ShardIdentity): string {
  const { labels, folders } = summary;
  return JSON.stringify({
    size,
    version,
    summary: { ...summary, labels: columnsOf(labels), folders: columnsOf(folders) },
  });
}

const columnsOf = (counts: readonly ValueCount[]) => ({
  values: counts.map(({ value }) => value),
  files: counts.map(({ files }) => files),
  samples: counts.map(({ samples }) => samples),
});

/**
 * The summary; undefined for what is none, is of another content of the shard than `of`, or does not fit the lengths of the columns.
 * @param lengths pictures, and samples where there is a column of them, else 0
 */
export function checkSummary(
  text: string,
  of: ShardIdentity,
  lengths: { readonly pictures: number; readonly samples: number },
): ShardSummary | undefined {
  try {
    const { size, version, summary } = record(JSON.parse(text));
    if (size !== of.size || version !== of.version) return undefined;
    const found = read(record(summary));
    const { files, samples } = found.images;
    const fits = files === lengths.pictures && samples === (lengths.samples || files) && samples <= files;
    return fits ? found : undefined;
  } catch (error) {
    if (error instanceof DataError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function read(from: Readonly<Record<string, unknown>>): ShardSummary {
  const images = record(from.images);
  const unlabelled = record(from.unlabelled);
  const reasons = record(from.leftOut);
  return {
    images: { files: count(images.files), samples: count(images.samples) },
    crowded: crowdedKeys(record(from.crowded)),
    further: optional(from.further, word),
    unlabelled: { files: optional(unlabelled.files, leftOut), samples: optional(unlabelled.samples, leftOut) },
    leftOut: Object.fromEntries(REASONS.map((reason) => [reason, optional(reasons[reason], leftOut)])),
    damage: optional(from.damage, word),
    labels: valueCounts(from.labels),
    folders: valueCounts(from.folders),
    names: word(from.names),
  };
}

const crowdedKeys = ({ keys, plain, clashing, extensions }: Readonly<Record<string, unknown>>): CrowdedKeys => ({
  keys: count(keys),
  plain: count(plain),
  clashing: count(clashing),
  extensions: list(extensions, word),
});

function valueCounts(from: unknown): ValueCount[] {
  const { values, files, samples } = record(from);
  const [inFiles, inSamples] = [list(files, count), list(samples, count)];
  // a list that is too short ends in undefined, which is no count
  return list(values, word).map((value, at) => ({ value, files: count(inFiles[at]), samples: count(inSamples[at]) }));
}

function leftOut(from: unknown): LeftOut {
  const { count: number, example } = record(from);
  return { count: count(number), example: word(example) };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw misshapen(value);
  return value as Readonly<Record<string, unknown>>;
}

function list<T>(value: unknown, item: (value: unknown) => T): T[] {
  if (!Array.isArray(value)) throw misshapen(value);
  return value.map(item);
}

function count(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw misshapen(value);
  return value;
}

function word(value: unknown): string {
  if (typeof value !== 'string') throw misshapen(value);
  return value;
}

/** Caught in this file. */
const misshapen = (value: unknown): DataError =>
  new DataError('damaged-file', `${String(value)} is no part of a summary`);

const optional = <T>(value: unknown, read: (value: unknown) => T): T | undefined =>
  value === undefined ? undefined : read(value);
