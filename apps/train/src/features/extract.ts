/**
 * Features of a data set, in shards of bounded size that are cached on disk one by one. An extraction that was stopped continues with the
 * next shard, and no set has to fit in memory. A shard is known by everything that its numbers depend on. Images that cannot be read are
 * left out and counted, in features from the cache too.
 */
import type { FeatureCache } from '@franca/evals/node';
import type { ImageSet } from '../image-sets/image-set';
import { describePreparation, type Preparation } from '../image-sets/preparation';
import { imagesOf } from './collect';
import { computeShard, type FeatureModel, type FeatureShard, type PatchTokens } from './compute-shard';
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
  /** Called after each batch: images done and in all, and whether they came from the cache. */
  readonly onProgress?: (done: number, total: number, cached: boolean) => void;
}

export interface ExtractOptions {
  readonly preparation: Preparation;
  /** CLS tokens of so many last blocks; default 1. */
  readonly blocks?: number;
  /** Patch tokens too: `true` for those of the last block after the final norm. */
  readonly patches?: boolean | PatchTokens;
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
  const { model, cache, weights, code, versions, leftOut, batchSize, onProgress } = extraction;
  const { preparation, blocks = 1, patches = false } = options;
  const { embedDim, patchSize } = model.config;
  const { size } = preparation;
  const tokens = blocks + 1 + (patches ? (size / patchSize) ** 2 : 0);
  const perImage = 4 * embedDim * tokens;
  const perShard = Math.max(1, Math.floor(SHARD_BYTES / perImage));
  for (let first = 0; first < set.length; first += perShard) {
    const end = Math.min(first + perShard, set.length);
    const key = {
      weights,
      preprocessing: describePreparation(preparation),
      data: await versions(set, first, end),
      code,
      outputs: `cls of ${blocks} blocks, patch mean${describePatches(patches)}; images ${first} to ${end}`,
    };
    const { arrays, cached } = await cache.readOrCompute(key, () =>
      computeShard(
        model,
        set,
        { preparation, blocks, patches, first, end, batchSize },
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

function describePatches(patches: boolean | PatchTokens): string {
  if (typeof patches === 'boolean') return patches ? ', patches' : '';
  return `, patches of block ${patches.block} ${patches.norm ? 'after' : 'before'} the norm`;
}
