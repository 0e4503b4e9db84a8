/** Features of single images that stay on disk and are read by rows: no set has to fit in memory. */
import type { ImageSet } from '../image-sets/image-set';
import type { Preparation } from '../image-sets/preparation';
import { imagesOf } from './collect';
import type { FeatureShard } from './compute-shard';
import { type Extraction, extract, imagesPerShard, shardKey } from './extract';

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

/** Bytes of the features of so many images, once all are there. */
export const storedBytes = (
  images: number,
  dim: number,
  { blocks, patchMean }: Pick<StoredRequest, 'blocks' | 'patchMean'>,
): number => 4 * images * dim * (blocks + Number(patchMean));

/** Computes what is missing, shard by shard. @throws what `extract` throws */
export async function openStored(
  extraction: Extraction,
  set: ImageSet,
  request: StoredRequest,
): Promise<StoredFeatures> {
  const { preparation, blocks } = request;
  const perShard = imagesPerShard(extraction, request);
  const dim = extraction.model.config.embedDim;
  const images: number[] = [];
  /** Number of each shard with a readable image, and its first row. */
  const shards: { readonly number: number; readonly first: number }[] = [];
  for await (const shard of extract(extraction, set, { preparation, blocks })) {
    const own = imagesOf(shard);
    shards.push({ number: Math.floor(own[0]! / perShard), first: images.length });
    for (const image of own) images.push(image);
  }
  const silent = { ...extraction, onProgress: () => {} };
  const shardAt = async (number: number): Promise<FeatureShard> => {
    for await (const shard of extract(silent, set, { preparation, blocks, shard: number })) return shard;
    throw new Error(`shard ${number} is gone`);
  };
  return {
    dim,
    images: Int32Array.from(images),
    async read(begin, end) {
      const room = () => new Float32Array((end - begin) * dim);
      const out = Array.from({ length: blocks }, room);
      const mean = request.patchMean ? room() : undefined;
      for (const [i, { number, first }] of shards.entries()) {
        const last = shards[i + 1]?.first ?? images.length;
        const [from, to] = [Math.max(begin, first), Math.min(end, last)];
        if (from >= to) continue;
        const shard = await shardAt(number);
        const tokens = shard.blocks!.data as Float32Array;
        for (let row = from; row < to; row++)
          for (const [b, block] of out.entries()) {
            const at = ((row - first) * blocks + b) * dim;
            block.set(tokens.subarray(at, at + dim), (row - begin) * dim);
          }
        const means = shard.patch_mean!.data as Float32Array;
        mean?.set(means.subarray((from - first) * dim, (to - first) * dim), (from - begin) * dim);
      }
      return { blocks: out, ...(mean && { patchMean: mean }) };
    },
  };
}

/** What the cache has of it; nothing is computed. */
export async function heldFeatures(
  extraction: Extraction,
  set: ImageSet,
  request: StoredRequest,
): Promise<HeldFeatures> {
  const perShard = imagesPerShard(extraction, request);
  let images = 0;
  for (let first = 0; first < set.length; first += perShard) {
    const end = Math.min(first + perShard, set.length);
    const shard = await extraction.cache.read(await shardKey(extraction, set, request, { first, end }));
    if (shard) images += end - first;
  }
  return { images, bytes: storedBytes(images, extraction.model.config.embedDim, request) };
}
