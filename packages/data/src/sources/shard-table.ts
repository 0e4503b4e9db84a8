/**
 * The images of many shards by their number: which shard, which picture in it, what is known of that.
 *
 * Only the shards' first numbers are held. The index of a shard is read when one of its images is asked for and kept until others have taken its
 * place: at most so many pictures' worth of them, those that were used last. An index that no file keeps stays in memory.
 */

import { DataError } from '../errors';
import type { ByteFile } from '../files/byte-file';
import { firstAbove } from './first-above';
import { keepIndex, readIndex } from './kept-index';
import { BLOCK, type Counting, NO_LABEL, nameAt, picturesOf, type ShardPictures } from './shard-index';
import { indexShard, splitName } from './tar-shard';

/** A shard that was indexed. */
export interface OpenShard {
  readonly file: ByteFile;
  /** `ShardSummary.names`. */
  readonly names: string;
  /** The file that keeps its index, or the pictures themselves. */
  readonly kept: string | ShardPictures;
}

/** Where the bytes of an image are. */
export interface PicturePlace {
  readonly file: ByteFile;
  readonly offset: number;
  readonly size: number;
}

export interface ShardTable {
  readonly length: number;
  /** Which shard an image is in. */
  shardOf(index: number): number;
  place(index: number): PicturePlace;
  /** Unique in its shard. */
  key(index: number): string;
  label(index: number): string | undefined;
  /** `''`, `cat/`. */
  folder(index: number): string;
  /** Makes sure that the index of an image is at hand, even if its file is gone: reads through the shard once more. */
  ready(index: number, signal?: AbortSignal): Promise<void>;
}

export interface ShardTableOptions {
  readonly counting: Counting;
  /** Images of each shard. */
  readonly lengths: ArrayLike<number>;
  /** Pictures of whose shards indices are held. */
  readonly heldPictures: number;
}

export function shardTable(
  shards: readonly OpenShard[],
  { counting, lengths, heldPictures }: ShardTableOptions,
): ShardTable {
  const ends = new Float64Array(shards.length);
  for (let shard = 0; shard < shards.length; shard++) ends[shard] = (ends[shard - 1] ?? 0) + lengths[shard]!;
  const length = ends.at(-1) ?? 0;
  const held = heldIndices(shards, heldPictures);
  let last = 0;
  const shardOf = (index: number): number => {
    if (!(index >= 0 && index < length)) throw new DataError('argument', `image ${index} of ${length}; count from 0`);
    if (index >= ends[last]! || index < (ends[last - 1] ?? 0)) last = firstAbove(ends, index);
    return last;
  };
  const pictureOf = (index: number): { shard: number; picture: number; of: ShardPictures } => {
    const shard = shardOf(index);
    const of = held.get(shard);
    const image = index - (ends[shard - 1] ?? 0);
    return { shard, of, picture: counting === 'samples' ? (of.columns.samples?.[image] ?? image) : image };
  };
  return {
    length,
    shardOf,
    place: (index) => {
      const { shard, picture, of } = pictureOf(index);
      const { blocks, sizes } = of.columns;
      return { file: shards[shard]!.file, offset: blocks[picture]! * BLOCK, size: sizes[picture]! };
    },
    key: (index) => {
      const { picture, of } = pictureOf(index);
      const name = nameAt(of.columns, picture);
      return counting === 'samples' ? splitName(name).key : name;
    },
    label: (index) => {
      const { picture, of } = pictureOf(index);
      const at = of.columns.labels?.[picture] ?? NO_LABEL;
      return at === NO_LABEL ? undefined : of.labels[at];
    },
    folder: (index) => {
      const { picture, of } = pictureOf(index);
      return of.folders[of.columns.folders?.[picture] ?? 0]!;
    },
    ready: async (index, signal) => held.restore(shardOf(index), signal),
  };
}

/** Indices that were used last, oldest first. */
function heldIndices(shards: readonly OpenShard[], heldPictures: number) {
  const held = new Map<number, ShardPictures>();
  const restored = new Map<number, ShardPictures>();
  let size = 0;
  let latest: { shard: number; pictures: ShardPictures } | undefined;
  const read = ({ file, names, kept }: OpenShard): ShardPictures | undefined => {
    if (typeof kept !== 'string') return kept;
    const index = readIndex(kept, file, names);
    return index && picturesOf(index);
  };
  const find = (shard: number): ShardPictures | undefined => {
    const pictures = held.get(shard) ?? restored.get(shard) ?? read(shards[shard]!);
    if (!pictures) return undefined;
    // to the end of the line
    if (!held.delete(shard)) size += sizeOf(pictures);
    held.set(shard, pictures);
    for (const [oldest, old] of held) {
      if (size <= heldPictures || oldest === shard) break;
      held.delete(oldest);
      size -= sizeOf(old);
    }
    return pictures;
  };
  return {
    get(shard: number): ShardPictures {
      if (latest?.shard === shard) return latest.pictures;
      const pictures = find(shard);
      if (!pictures) throw new DataError('file-system', lostIndex(shards[shard]!));
      latest = { shard, pictures };
      return pictures;
    },
    async restore(shard: number, signal?: AbortSignal): Promise<void> {
      if (latest?.shard === shard || find(shard)) return;
      const { file, names, kept } = shards[shard]!;
      const index = await indexShard(file, signal);
      if (index.summary.names !== names)
        throw new DataError('damaged-file', `${file.name} is not as it was when it was opened; start again`);
      if (!(await keepIndex(index, file, [String(kept)]))) restored.set(shard, picturesOf(index));
    },
  };
}

const sizeOf = ({ columns }: ShardPictures): number => Math.max(1, columns.blocks.length);

const lostIndex = ({ file, kept }: OpenShard): string =>
  `the index of ${file.name}, ${String(kept)}, is gone or was changed since the data were opened; start again, which makes it anew`;
