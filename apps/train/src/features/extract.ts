/**
 * Features of a data set, in shards of bounded size that are cached on disk one by one: an extraction that was stopped continues with the
 * next shard, and no set has to fit in memory. Images that cannot be read are left out and counted.
 */
import { isImageError, prefetch } from '@franca/data';
import type { FeatureArrays, FeatureCache } from '@franca/evals/node';
import { TrainError } from '../errors';
import type { EvalItem, EvalSet } from '../image-sets/image-set';
import { describePreparation, type Preparation, prepare, squashMask } from '../image-sets/preparation';
import type { FeatureModel, FeatureRequest } from './model';

export interface Extraction {
  readonly model: FeatureModel;
  /** Identity of the weights, for the cache. */
  readonly weights: string;
  readonly cache: FeatureCache;
  readonly batchSize: number;
  /** Called after each batch: images done and in all, and whether they came from the cache. */
  readonly onProgress?: (done: number, total: number, cached: boolean) => void;
}

export interface ExtractOptions {
  readonly preparation: Preparation;
  /** CLS tokens of so many last blocks; default 1. */
  readonly blocks?: number;
  /** Patch tokens, and masks where the set has them. */
  readonly patches?: boolean;
}

/** Arrays of one shard: `blocks` [n, blocks, D], `patch_mean` [n, D], `labels` [n], `index` [n]; `patches` [n, N, D], `masks` [n, S, S]. */
export type FeatureShard = FeatureArrays;

const SHARD_BYTES = 256 * 2 ** 20;

/** Shards of `set` in order; computed where the cache does not have them. */
export async function* extract(
  extraction: Extraction,
  set: EvalSet,
  options: ExtractOptions,
): AsyncGenerator<FeatureShard> {
  const { model, cache, weights } = extraction;
  const { preparation, blocks = 1, patches = false } = options;
  const { embedDim, patchSize } = model.config;
  const { size } = preparation;
  const tokens = blocks + 1 + (patches ? (size / patchSize) ** 2 : 0);
  const masks = patches && set.ignore !== undefined;
  const perImage = 4 * embedDim * tokens + (masks ? size * size : 0);
  const perShard = Math.max(1, Math.floor(SHARD_BYTES / perImage));
  const data = await set.identity();
  for (let first = 0; first < set.length; first += perShard) {
    const end = Math.min(first + perShard, set.length);
    const key = {
      weights,
      preprocessing: describePreparation(preparation),
      data,
      outputs: `cls of ${blocks} blocks, patch mean${patches ? ', patches' : ''}${masks ? ', masks' : ''}; images ${first} to ${end}`,
    };
    const { arrays, cached } = await cache.readOrCompute(key, () =>
      computeShard(extraction, set, { preparation, blocks, patches, masks, first, end }),
    );
    if (cached) extraction.onProgress?.(end, set.length, true);
    yield arrays;
  }
}

interface ShardPlan {
  readonly preparation: Preparation;
  readonly blocks: number;
  readonly patches: boolean;
  readonly masks: boolean;
  readonly first: number;
  readonly end: number;
}

async function computeShard(extraction: Extraction, set: EvalSet, plan: ShardPlan): Promise<FeatureShard> {
  const { model, batchSize, onProgress } = extraction;
  const { preparation, blocks, patches, masks, first, end } = plan;
  const { embedDim: D, patchSize } = model.config;
  const { size } = preparation;
  const N = (size / patchSize) ** 2;
  const room = end - first;
  const out = {
    blocks: new Float32Array(room * blocks * D),
    patch_mean: new Float32Array(room * D),
    labels: new Int32Array(room),
    index: new Int32Array(room),
    patches: new Float32Array(patches ? room * N * D : 0),
    masks: new Uint8Array(masks ? room * size * size : 0),
  };
  const request: FeatureRequest = { blocks, ...(patches ? { patches } : {}) };
  const input = new Float32Array(batchSize * 3 * size * size);
  const shape = [batchSize, 3, size, size] as const;
  let rows = 0;
  let waiting = 0;
  async function flush(): Promise<void> {
    if (waiting === 0) return;
    const features = await model.run({ data: input, shape }, request);
    features.blocks.forEach((block, b) => {
      for (let i = 0; i < waiting; i++)
        out.blocks.set(block.subarray(i * D, (i + 1) * D), ((rows + i) * blocks + b) * D);
    });
    out.patch_mean.set(features.patchMean.subarray(0, waiting * D), rows * D);
    if (features.patches) out.patches.set(features.patches.subarray(0, waiting * N * D), rows * N * D);
    rows += waiting;
    waiting = 0;
    onProgress?.(first + rows, set.length, false);
  }

  for await (const { index, item } of readItems(set, first, end)) {
    if (!item) continue;
    const at = rows + waiting;
    prepare(item.image, preparation, input.subarray(waiting * 3 * size * size, (waiting + 1) * 3 * size * size));
    if (masks && item.mask) squashMask(item.mask, size, out.masks.subarray(at * size * size));
    out.labels[at] = set.label(index);
    out.index[at] = index;
    waiting++;
    if (waiting === batchSize) await flush();
  }
  await flush();
  if (rows === 0) throw new TrainError('data', `none of ${room} images of ${set.dataset} ${set.split} could be read`);
  const trimmed = <T extends Float32Array | Int32Array | Uint8Array>(data: T, each: number): T =>
    data.subarray(0, rows * each) as T;
  return {
    blocks: { shape: [rows, blocks, D], data: trimmed(out.blocks, blocks * D) },
    patch_mean: { shape: [rows, D], data: trimmed(out.patch_mean, D) },
    labels: { shape: [rows], data: trimmed(out.labels, 1) },
    index: { shape: [rows], data: trimmed(out.index, 1) },
    ...(patches && { patches: { shape: [rows, N, D], data: trimmed(out.patches, N * D) } }),
    ...(masks && { masks: { shape: [rows, size, size], data: trimmed(out.masks, size * size) } }),
  };
}

/** Images in order, read a few ahead; undefined where one cannot be read. */
async function* readItems(
  set: EvalSet,
  first: number,
  end: number,
): AsyncGenerator<{ index: number; item: EvalItem | undefined }> {
  const indices = Array.from({ length: end - first }, (_, i) => first + i);
  const load = async (index: number, signal: AbortSignal) => ({
    index,
    item: await set.read(index, signal).catch((error: unknown) => {
      if (isImageError(error)) return undefined;
      throw error;
    }),
  });
  yield* prefetch(indices, load, { inFlight: 4, ahead: 8 });
}
