/**
 * From tar shards to samples: which pictures are one sample, how many each shard has, and what is to be said about the rest.
 *
 * In a WebDataset several pictures may share a key (`000017.jpg`, `000017.seg.png`); one of them is the sample's image
 * (`tar-shard.ts` says which). In a plain tar of files names may agree by chance, and every
 * picture counts. Which of the two it is shows in the keys that are shared, over all shards together. They are samples where
 * the same extensions come back (there are at least twice as many such keys as extensions), or where most of the keys have
 * a member with a one-word extension and there are few extensions (`MAX_EXTENSIONS`); they are not where most of them have
 * two pictures with the same extension. Where names agree by chance, the whole name is the key.
 *
 * Summaries are added up one by one and not held: of 60,000 shards with a thousand labels each there would be too many.
 */

import { createHash } from 'node:crypto';
import { type SourceFingerprint, stretchesOf } from '../images/source-fingerprint';
import { type LeftOut, leftOutNotes, passedOverNotes, repeatedNotes, sumLeftOut, unusableNotes } from './left-out';
import type { Counting, LeftOutReason, ShardSummary, ValueCount } from './shard-index';

/** What all shards have together. */
export interface TarSamples {
  /** Which pictures are images. */
  readonly counting: Counting;
  /** Images of each shard. */
  readonly lengths: Float64Array;
  /** How many images have each label, and lie in each folder. */
  readonly labels: ReadonlyMap<string, number>;
  readonly folders: ReadonlyMap<string, number>;
  /** Whether there are too many of the labels, or else of the folders, to be classes; they are then not complete. */
  readonly tooMany: boolean;
  readonly notes: readonly string[];
  readonly fingerprint: SourceFingerprint;
}

export interface TarSampleCounts {
  /** Adds the next shard. */
  add(summary: ShardSummary): void;
  total(): TarSamples;
}

const MAX_EXTENSIONS = 8;
/** More distinct labels or folders are numbers or names of the images themselves. */
export const MOST_CLASSES = 1_000_000;
const MOST_DAMAGES = 20;

/** Adds up shards. @param names those by which shards are told apart */
export function countSamples(names: readonly string[]): TarSampleCounts {
  const lengths = { files: new Float64Array(names.length), samples: new Float64Array(names.length) };
  const hashes: string[] = [];
  const labels = new Map<string, Record<Counting, number>>();
  const folders = new Map<string, Record<Counting, number>>();
  const crowded = { keys: 0, plain: 0, clashing: 0, extensions: new Set<string>() };
  const left = new Map<string, LeftOut>();
  const damages: string[] = [];
  let damaged = 0;
  const tooMany = { labels: false, folders: false };
  const leave = (what: string, shard: number, found: LeftOut | undefined): void => {
    const sum = sumLeftOut([left.get(what), found && { ...found, example: `${names[shard]}/${found.example}` }]);
    if (sum) left.set(what, sum);
  };
  const tally = (what: 'labels' | 'folders', counts: readonly ValueCount[]): void => {
    const into = what === 'labels' ? labels : folders;
    for (const { value, files, samples } of counts) {
      const known = into.get(value);
      if (!known && into.size === MOST_CLASSES) tooMany[what] = true;
      else into.set(value, { files: files + (known?.files ?? 0), samples: samples + (known?.samples ?? 0) });
    }
  };
  return {
    add(summary) {
      const shard = hashes.length;
      const { images, further, unlabelled } = summary;
      lengths.files[shard] = images.files;
      lengths.samples[shard] = images.samples;
      hashes.push(summary.names);
      tally('labels', summary.labels);
      tally('folders', summary.folders);
      for (const field of ['keys', 'plain', 'clashing'] as const) crowded[field] += summary.crowded[field];
      for (const extension of summary.crowded.extensions) crowded.extensions.add(extension);
      for (const [reason, found] of Object.entries(summary.leftOut)) leave(reason, shard, found);
      leave('unlabelled files', shard, unlabelled.files);
      leave('unlabelled samples', shard, unlabelled.samples);
      leave('further', shard, further ? { count: images.files - images.samples, example: further } : undefined);
      if (summary.damage !== undefined && damaged++ < MOST_DAMAGES) damages.push(summary.damage);
    },
    total() {
      const counting = isWebDataset(crowded) ? 'samples' : 'files';
      const isLabelled = [...labels.values()].some((counts) => counts[counting] > 0);
      const chance = `these are files and no WebDataset samples: ${crowded.keys} names agree up to an extension, and each image counts`;
      const of = (reason: LeftOutReason): LeftOut | undefined => left.get(reason);
      return {
        counting,
        lengths: lengths[counting],
        labels: new Map([...labels].flatMap(([value, { [counting]: n }]) => (n > 0 ? [[value, n]] : []))),
        folders: new Map([...folders].map(([value, counts]) => [value, counts[counting]])),
        tooMany: isLabelled ? tooMany.labels : tooMany.folders,
        notes: [
          ...damages.map((damage) => `${damage}; what comes before it is used`),
          ...(damaged > MOST_DAMAGES ? [`${damaged} shards are damaged; the first ${MOST_DAMAGES} are named`] : []),
          ...(counting === 'files' ? [chance] : []),
          ...leftOutNotes(
            'further images of samples are not used',
            counting === 'samples' ? left.get('further') : undefined,
          ),
          ...repeatedNotes(of('repeated')),
          ...unusableNotes(of('unusable')),
          ...leftOutNotes('images are links or sparse files in the archive and are not used', of('irregular')),
          ...leftOutNotes('samples or other files have no image', of('imageless')),
          ...leftOutNotes('.cls members hold no whole number and label nothing', of('badLabels')),
          ...leftOutNotes(
            'images have no label, as others have',
            isLabelled ? left.get(`unlabelled ${counting}`) : undefined,
          ),
          ...passedOverNotes(of('passedOver')),
        ],
        fingerprint: fingerprintOf(names, lengths[counting], hashes),
      };
    },
  };
}

function isWebDataset({
  keys,
  plain,
  clashing,
  extensions,
}: {
  readonly keys: number;
  readonly plain: number;
  readonly clashing: number;
  readonly extensions: ReadonlySet<string>;
}): boolean {
  const comeBack = 2 * extensions.size <= keys;
  const belongTogether = 2 * plain > keys && extensions.size <= MAX_EXTENSIONS;
  return keys === 0 || (2 * clashing <= keys && (comeBack || belongTogether));
}

function fingerprintOf(names: readonly string[], lengths: Float64Array, hashes: readonly string[]): SourceFingerprint {
  const bounds = stretchesOf(names.length);
  const stretches = bounds.slice(0, -1).map((begin, at) => {
    const sum = createHash('sha256');
    for (let shard = begin; shard < bounds[at + 1]!; shard++)
      sum.update(`${names[shard]}\0${lengths[shard]}\0${hashes[shard]}\0`);
    return { first: names[begin]!, hash: sum.digest('hex').slice(0, 16) };
  });
  return { files: names.length, images: lengths.reduce((sum, length) => sum + length, 0), stretches };
}
