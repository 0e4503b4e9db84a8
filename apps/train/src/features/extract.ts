/**
 * Features of a data set, in shards of bounded size that are cached on disk one by one. An extraction that was stopped continues with the
 * next shard, and no set has to fit in memory. A shard is known by everything that its numbers depend on. Images that cannot be read are
 * left out and counted, in features from the cache too.
 */
import type { FeatureCache, FeatureKey } from '@franca/evals/node';
import type { ImageSet } from '../image-sets/image-set';
import { describePreparation, inputSides, type Preparation } from '../image-sets/preparation';
import { imagesOf } from './collect';
import {
  computeShard,
  type FeatureModel,
  type FeatureShard,
  type LevelTokens,
  type PatchTokens,
} from './compute-shard';
import type { ImageVersions } from './image-versions';
import type { LeftOutImages } from './left-out-images';

export interface Extraction {
  readonly model: FeatureModel;
  /** Identity of the weights, for the cache. */
  readonly weights: string;
  /** What computes: see `extractionCode`. */
  readonly code: string;
  readonly versions: ImageVersions;
  readonly leftOut: LeftOutImages;
  readonly cache: FeatureCache;
  readonly batchSize: number;
  /** What a shard may take; default 256 MiB. */
  readonly shardBytes?: number;
  /** Called after each batch: images done and in all, and whether they came from the cache. */
  readonly onProgress?: (done: number, total: number, cached: boolean) => void;
}

export interface ExtractOptions {
  readonly preparation: Preparation;
  /** CLS tokens of so many last blocks; default 1. */
  readonly blocks?: number;
  /** Patch tokens too: `true` for those of the last block after the final norm. */
  readonly patches?: boolean | PatchTokens;
  /** CLS and patch tokens of several blocks too. */
  readonly levels?: LevelTokens;
  /** One shard of those that there are. Default: all, in order. */
  readonly shard?: number;
}

/** Images that are computed once and not kept, such as random crops. */
export interface FreshOptions extends Omit<ExtractOptions, 'shard'> {
  /** Numbers of the images in the set, in the order that is asked for. */
  readonly images: ArrayLike<number>;
  readonly perShard: number;
}

const SHARD_BYTES = 256 * 2 ** 20;

/**
 * Shards of `set` in order, those without a readable image left out; computed where the cache does not have them.
 * @throws DataError `too-many-bad-images`; TrainError `data` where an image fails in a way that may pass
 */
export async function* extract(
  extraction: Extraction,
  set: ImageSet,
  options: ExtractOptions,
): AsyncGenerator<FeatureShard> {
  const { model, cache, leftOut, batchSize, onProgress } = extraction;
  const { preparation, blocks = 1, patches = false, levels, shard } = options;
  const perShard = imagesPerShard(extraction, options);
  const last = shard === undefined ? set.length : Math.min((shard + 1) * perShard, set.length);
  for (let first = (shard ?? 0) * perShard; first < last; first += perShard) {
    const end = Math.min(first + perShard, set.length);
    const images = Array.from({ length: end - first }, (_, i) => first + i);
    const key = await shardKey(extraction, set, options, { first, end });
    const { arrays, cached } = await cache.readOrCompute(key, () =>
      computeShard(
        model,
        set,
        { preparation, blocks, patches, levels, images, batchSize },
        {
          onBatch: (done) => onProgress?.(first + done, set.length, false),
          onLeftOut: (index, reason) => leftOut.add(set, index, reason),
        },
      ),
    );
    if (cached) onProgress?.(end, set.length, true);
    const read = new Set(imagesOf(arrays));
    for (let index = first; index < end; index++) if (!read.has(index)) leftOut.add(set, index);
    if (read.size > 0) yield arrays;
  }
}

/** What features of images `first` to `end` are found by. */
export async function shardKey(
  { weights, code, versions }: Pick<Extraction, 'weights' | 'code' | 'versions'>,
  set: ImageSet,
  { preparation, blocks = 1, patches = false, levels }: ExtractOptions,
  { first, end }: { readonly first: number; readonly end: number },
): Promise<FeatureKey> {
  return {
    weights,
    preprocessing: describePreparation(preparation),
    data: await versions(set, first, end),
    code,
    outputs: `cls of ${blocks} blocks, patch mean${describePatches(patches)}${describeLevels(levels)}; images ${first} to ${end}`,
  };
}

/** Images of a shard; the last may have fewer. */
export function imagesPerShard(
  { model, shardBytes = SHARD_BYTES }: Pick<Extraction, 'model' | 'shardBytes'>,
  { preparation, blocks = 1, patches = false, levels }: ExtractOptions,
): number {
  const { embedDim, patchSize } = model.config;
  const [height, width] = inputSides(preparation);
  const N = (height / patchSize) * (width / patchSize);
  const tokens = blocks + 1 + (patches ? N : 0) + (levels?.blocks.length ?? 0) * (1 + N);
  return Math.max(1, Math.floor(shardBytes / (4 * embedDim * tokens)));
}

/** Features of images in any order, `perShard` at a time: neither read from the cache nor written to it. */
export async function* extractFresh(
  { model, leftOut, batchSize, onProgress }: Extraction,
  set: ImageSet,
  { preparation, blocks = 1, patches = false, levels, images, perShard }: FreshOptions,
): AsyncGenerator<FeatureShard> {
  for (let first = 0; first < images.length; first += perShard) {
    const some = Array.from({ length: Math.min(perShard, images.length - first) }, (_, i) => images[first + i]!);
    const shard = await computeShard(
      model,
      set,
      { preparation, blocks, patches, levels, images: some, batchSize },
      {
        onBatch: (done) => onProgress?.(first + done, images.length, false),
        onLeftOut: (index, reason) => leftOut.add(set, index, reason),
      },
    );
    if (imagesOf(shard).length > 0) yield shard;
  }
}

function describePatches(patches: boolean | PatchTokens): string {
  if (typeof patches === 'boolean') return patches ? ', patches' : '';
  return `, patches of block ${patches.block} ${patches.norm ? 'after' : 'before'} the norm`;
}

function describeLevels(levels: LevelTokens | undefined): string {
  if (!levels) return '';
  return `, cls and patches of blocks ${levels.blocks.join(', ')} ${levels.norm ? 'after' : 'before'} the norm`;
}
