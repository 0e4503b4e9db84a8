/**
 * Features of a data set, in shards of bounded size that are cached on disk one by one. An extraction that was stopped continues with the
 * next shard, and no set has to fit in memory. A shard is known by everything that its numbers depend on. Images that cannot be read are
 * left out and counted, in features from the cache too.
 */
import type { ImageSet } from '../image-sets/image-set';
import { imagesOf } from './collect';
import { computeShard, type FeatureShard } from './compute-shard';
import { type Extraction, openShardFiles, type ShardRequest } from './shard-files';
import { outputsOf, planOf } from './stored-outputs';

export interface ExtractOptions extends ShardRequest {
  /** One shard of those that there are. Default: all, in order. */
  readonly shard?: number;
}

/** Images that are computed once and not kept, such as random crops. */
export interface FreshOptions extends ShardRequest {
  /** Numbers of the images in the set, in the order that is asked for. */
  readonly images: ArrayLike<number>;
  readonly perShard: number;
}

/**
 * Shards of `set` in order, those without a readable image left out; computed where the cache does not have them.
 * @throws DataError `too-many-bad-images`; TrainError `data` where an image fails in a way that may pass; EvalsError `space` where there is no room for them
 */
export async function* extract(
  extraction: Extraction,
  set: ImageSet,
  { shard: only, ...request }: ExtractOptions,
): AsyncGenerator<FeatureShard> {
  const { count, perShard, read } = await openShardFiles(extraction, set, request);
  const end = only === undefined ? count : Math.min(only + 1, count);
  for (let number = only ?? 0; number < end; number++) {
    const shard = await read(number);
    addLeftOut(extraction, set, imagesOf(shard), number * perShard, perShard);
    if (shard.index!.data.length > 0) yield shard;
  }
}

/** Counts the images of a shard that it has no rows of. */
export function addLeftOut(
  { leftOut }: Pick<Extraction, 'leftOut'>,
  set: ImageSet,
  images: ArrayLike<number>,
  first: number,
  perShard: number,
): void {
  const read = new Set(Array.from(images));
  for (let index = first; index < Math.min(first + perShard, set.length); index++)
    if (!read.has(index)) leftOut.add(set, index);
}

/** Features of images in any order, `perShard` at a time: neither read from the cache nor written to it. */
export async function* extractFresh(
  { model, leftOut, batchSize, onProgress }: Extraction,
  set: ImageSet,
  { preparation, images, perShard, ...request }: FreshOptions,
): AsyncGenerator<FeatureShard> {
  const plan = planOf(outputsOf(model.config, request));
  for (let first = 0; first < images.length; first += perShard) {
    const some = Array.from({ length: Math.min(perShard, images.length - first) }, (_, i) => images[first + i]!);
    const shard = await computeShard(
      model,
      set,
      { preparation, ...plan, images: some, batchSize },
      {
        onBatch: (done) => onProgress?.(first + done, images.length, false),
        onLeftOut: (index, reason) => leftOut.add(set, index, reason),
      },
    );
    if (imagesOf(shard).length > 0) yield shard;
  }
}
