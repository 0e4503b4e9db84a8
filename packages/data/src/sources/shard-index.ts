/**
 * What is kept of a tar shard: its pictures in columns of numbers, and a summary of them.
 *
 * A source of 10^8 pictures cannot hold an object or a string for each. It opens from the summaries alone (how many, which classes, what was left
 * out) and looks at the columns of a shard when one of its pictures is asked for. Whether the pictures of one key are one sample or several files is
 * only known once all shards are (`tar-samples.ts`), so both countings are there.
 */

import { createHash } from 'node:crypto';
import type { LeftOut } from './left-out';

export type LeftOutReason = 'repeated' | 'badLabels' | 'imageless' | 'unusable' | 'irregular' | 'passedOver';

/** Keys that several pictures share: whether these are samples or files whose names happen to agree shows in them. */
export interface CrowdedKeys {
  readonly keys: number;
  /** How many of them also have a member with a one-word extension (`000017.jpg`, `000017.cls`). */
  readonly plain: number;
  /** In how many of them two pictures have the same extension but for its case, as they never have in a sample. */
  readonly clashing: number;
  /** The distinct extensions of their pictures, in lower case. */
  readonly extensions: readonly string[];
}

/** What counts as an image: every picture, or one picture of each key. */
export type Counting = 'files' | 'samples';

/** A number by either counting. */
export type Counts = Readonly<Record<Counting, number>>;

/** A label or folder, and how many images have it. */
export interface ValueCount extends Counts {
  readonly value: string;
}

/** All that opening a source asks of a shard; plain JSON. */
export interface ShardSummary {
  readonly images: Counts;
  readonly crowded: CrowdedKeys;
  /** A picture of a sample that is not its image, in words. */
  readonly further?: string | undefined;
  /** Images without a label of their own, and the first of them. */
  readonly unlabelled: { readonly [Which in Counting]?: LeftOut | undefined };
  readonly leftOut: { readonly [Reason in LeftOutReason]?: LeftOut | undefined };
  readonly damage?: string | undefined;
  /** Whole numbers of `.cls` members, each once: column `labels` has places in this list. */
  readonly labels: readonly ValueCount[];
  /** Folders with pictures (`''`, `cat/`), each once: column `folders` has places in this list. */
  readonly folders: readonly ValueCount[];
  /** Hash of the names of all pictures. */
  readonly names: string;
}

/** Pictures in the order of the archive, each name once. */
export interface ShardColumns {
  /** Where the bytes of each begin, in blocks of 512 [n]. */
  readonly blocks: Uint32Array;
  /** Bytes of each [n]; what is longer than 2^32 - 1 is no image that is read and stands as that. */
  readonly sizes: Uint32Array;
  /** Place of its label in the list of the summary [n], or `NO_LABEL`; absent where there is none. */
  readonly labels?: Uint32Array | undefined;
  /** Place of its folder in that list [n]; absent where there is only one. */
  readonly folders?: Uint32Array | undefined;
  /** Which picture each sample shows; absent where that is each. */
  readonly samples?: Uint32Array | undefined;
  /** Where the name of each ends among the bytes of all names [n]. */
  readonly nameEnds: Uint32Array;
  /** UTF-8. */
  readonly names: Buffer;
}

export interface ShardIndex {
  readonly summary: ShardSummary;
  readonly columns: ShardColumns;
}

/** As much of an index as a look at single images takes: without counts. */
export interface ShardPictures {
  readonly columns: ShardColumns;
  readonly labels: readonly string[];
  readonly folders: readonly string[];
}

export const picturesOf = ({ columns, summary: { labels, folders } }: ShardIndex): ShardPictures => ({
  columns,
  labels: labels.map(({ value }) => value),
  folders: folders.map(({ value }) => value),
});

/** What an index was made of: another content of the shard, another text. */
export interface ShardIdentity {
  readonly size: number;
  readonly version: string;
}

export const NO_LABEL = 0xffffffff;
export const BLOCK = 512;

/** The name of a picture. */
export const nameAt = ({ nameEnds, names }: ShardColumns, picture: number): string =>
  names.toString('utf8', picture === 0 ? 0 : nameEnds[picture - 1]!, nameEnds[picture]!);

/** Hash of names in their order, of 64 bits as hexadecimal digits: two lists of equal hash have the same names. */
export const hashOfNames = ({ nameEnds, names }: Pick<ShardColumns, 'nameEnds' | 'names'>): string =>
  createHash('sha256')
    .update(new Uint8Array(nameEnds.buffer, nameEnds.byteOffset, nameEnds.byteLength))
    .update(names)
    .digest('hex')
    .slice(0, 16);
