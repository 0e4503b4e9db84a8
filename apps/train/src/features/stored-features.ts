/** Features of single images that stay on disk and are read by rows: no set has to fit in memory. */
import type { FloatsOnDisk } from '@franca/evals/node';
import { TrainError } from '../errors';
import type { ImageSet } from '../image-sets/image-set';
import type { Preparation } from '../image-sets/preparation';
import { addLeftOut } from './extract';
import { type Extraction, openShardFiles, type ShardRequest } from './shard-files';
import { bytesOfImage } from './stored-outputs';

/** Features of the images of a set, on disk. Rows are those of the images that could be read, in the order of the set. */
export interface StoredFeatures {
  readonly dim: number;
  /** Numbers of the images in their set, by row [n]. */
  readonly images: Int32Array;
  /**
   * CLS tokens [rows, D] of the blocks that were asked for, oldest first, and mean patch tokens where asked for; of rows begin to end, only these bytes
   * are read. Planes of RASA are not removed.
   */
  read(begin: number, end: number): Promise<StoredRows>;
}

/** Arrays [rows, D]. */
export interface StoredRows {
  readonly blocks: readonly Float32Array[];
  readonly patchMean?: Float32Array;
}

/** What of each image is kept. */
export interface StoredRequest {
  readonly preparation: Preparation;
  /** CLS tokens of so many last blocks. */
  readonly blocks: number;
  /** Mean patch tokens. */
  readonly patchMean: boolean;
}

/** How much of features the cache has. */
export interface HeldFeatures {
  readonly images: number;
  readonly bytes: number;
}

/** Bytes of the features of so many images, once all are there; without what files say of themselves, a thousandth or less. */
export const storedBytes = (
  images: number,
  dim: number,
  { blocks, patchMean }: Pick<StoredRequest, 'blocks' | 'patchMean'>,
  floats: FloatsOnDisk = 'f32',
): number => images * (blocks + Number(patchMean)) * bytesOfImage([dim], floats);

/** Computes what is missing, shard by shard. @throws what `extract` throws; TrainError `data` where no image can be read */
export async function openStored(
  extraction: Extraction,
  set: ImageSet,
  request: StoredRequest,
): Promise<StoredFeatures> {
  const dim = extraction.model.config.embedDim;
  const { count, perShard, images: imagesOf, readRows } = await openShardFiles(extraction, set, request);
  const images = new Int32Array(set.length);
  /** First row of each shard, and behind the last. */
  const firstRows = [0];
  for (let shard = 0; shard < count; shard++) {
    const own = await imagesOf(shard);
    addLeftOut(extraction, set, own, shard * perShard, perShard);
    images.set(own, firstRows[shard]!);
    firstRows.push(firstRows[shard]! + own.length);
  }
  const rows = firstRows.at(-1)!;
  if (rows === 0) throw new TrainError('data', 'there is no image to compute features of');

  return {
    dim,
    images: images.subarray(0, rows),
    async read(begin, end) {
      const room = () => new Float32Array((end - begin) * dim);
      const blocks = Array.from({ length: request.blocks }, room);
      const patchMean = request.patchMean ? room() : undefined;
      const parts = patchMean ? [...blocks, patchMean] : blocks;
      for (let shard = Math.floor(begin / perShard); shard < count && firstRows[shard]! < end; shard++) {
        const first = firstRows[shard]!;
        const [from, to] = [Math.max(begin, first), Math.min(end, firstRows[shard + 1]!)];
        if (from >= to) continue;
        const values = await readRows(shard, from - first, to - first);
        for (const [i, rows] of values.entries()) parts[i]!.set(rows, (from - begin) * dim);
      }
      return { blocks, ...(patchMean && { patchMean }) };
    },
  };
}

/** What the cache has of them; nothing is computed. */
export async function heldFeatures(
  extraction: Extraction,
  set: ImageSet,
  request: ShardRequest,
): Promise<HeldFeatures> {
  return (await openShardFiles(extraction, set, request)).held();
}
