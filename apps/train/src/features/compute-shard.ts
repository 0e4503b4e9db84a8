/**
 * Features of some images of a set, computed in batches. Images are read and prepared a few ahead; those that cannot be read are left out.
 */
import { isImageError, prefetch } from '@franca/data';
import type { FeatureArrays } from '@franca/evals/node';
import type { Features, ImageBatch, VitConfig } from '@franca/vit';
import { TrainError } from '../errors';
import type { ImageSet } from '../image-sets/image-set';
import { type Preparation, prepare } from '../image-sets/preparation';

/** Arrays of n images: `index` [n] in the set, `blocks` [n, blocks, D], `patch_mean` [n, D]; `patches` [n, N, D]. Labels and masks are the set's. */
export type FeatureShard = FeatureArrays;

interface ShardRequest {
  readonly blockCls: readonly number[];
  readonly patchMean: true;
  readonly patches: boolean;
}

/** What is needed of a `VitModel`. */
export interface FeatureModel {
  readonly config: VitConfig;
  run(images: ImageBatch, request: ShardRequest): Promise<Features<ShardRequest>>;
}

export interface ShardPlan {
  readonly preparation: Preparation;
  /** CLS tokens of so many last blocks. */
  readonly blocks: number;
  readonly patches: boolean;
  /** Images `first` up to, not including, `end` of the set. */
  readonly first: number;
  readonly end: number;
  readonly batchSize: number;
}

/**
 * Runs the images of a plan. `onBatch` is told after each batch how many are done.
 * @throws TrainError `data` where none can be read
 */
export async function computeShard(
  model: FeatureModel,
  set: ImageSet,
  plan: ShardPlan,
  onBatch?: (done: number) => void,
): Promise<FeatureShard> {
  const { blocks, patches, batchSize, preparation } = plan;
  const { embedDim: D, patchSize } = model.config;
  const N = (preparation.size / patchSize) ** 2;
  const shape = [batchSize, 3, preparation.size, preparation.size] as const;
  // the token of the last block is the model's output
  const blockCls = Array.from({ length: blocks - 1 }, (_, i) => i - blocks);
  const data = new Float32Array(batchSize * 3 * preparation.size ** 2);
  const shard = emptyShard(plan, D, N);
  let rows = 0;
  for await (const batch of inBatches(preparedImages(set, plan), batchSize)) {
    for (const [i, { pixels }] of batch.entries()) data.set(pixels, i * pixels.length);
    const features = await model.run({ data, shape }, { blockCls, patchMean: true, patches });
    for (const [i, { index }] of batch.entries()) {
      shard.index.data[rows + i] = index;
      for (const [b, tokens] of [...features.blockCls, features.cls].entries())
        shard.blocks.data.set(tokens.subarray(i * D, (i + 1) * D), ((rows + i) * blocks + b) * D);
    }
    shard.patch_mean.data.set(features.patchMean.subarray(0, batch.length * D), rows * D);
    if (features.patches) shard.patches?.data.set(features.patches.subarray(0, batch.length * N * D), rows * N * D);
    rows += batch.length;
    onBatch?.(rows);
  }
  if (rows === 0)
    throw new TrainError(
      'data',
      `none of ${plan.end - plan.first} images of ${set.dataset} ${set.split} could be read`,
    );
  return firstRows(shard, rows);
}

/** Room for all images of a plan. */
function emptyShard({ first, end, blocks, patches }: ShardPlan, D: number, N: number) {
  const room = end - first;
  return {
    blocks: { shape: [room, blocks, D], data: new Float32Array(room * blocks * D) },
    patch_mean: { shape: [room, D], data: new Float32Array(room * D) },
    index: { shape: [room], data: new Int32Array(room) },
    ...(patches && { patches: { shape: [room, N, D], data: new Float32Array(room * N * D) } }),
  };
}

const firstRows = (shard: FeatureShard, rows: number): FeatureShard =>
  Object.fromEntries(
    Object.entries(shard).map(([name, { shape, data }]) => {
      const [room, ...each] = shape as [number, ...number[]];
      return [name, { shape: [rows, ...each], data: data.subarray(0, (data.length / room) * rows) }];
    }),
  );

interface PreparedImage {
  readonly index: number;
  /** Input of the model [3, S, S]. */
  readonly pixels: Float32Array;
}

/** Images in order; those that cannot be read are left out. */
async function* preparedImages(set: ImageSet, { preparation, first, end }: ShardPlan): AsyncGenerator<PreparedImage> {
  const { size } = preparation;
  const load = async (index: number, signal: AbortSignal): Promise<PreparedImage | undefined> => {
    const image = await set.read(index, signal).catch((error: unknown) => {
      if (isImageError(error)) return undefined;
      throw error;
    });
    if (!image) return undefined;
    const pixels = new Float32Array(3 * size * size);
    prepare(image, preparation, pixels);
    return { index, pixels };
  };
  const indices = Array.from({ length: end - first }, (_, i) => first + i);
  for await (const image of prefetch(indices, load, { inFlight: 4, ahead: 8 })) if (image) yield image;
}

async function* inBatches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
