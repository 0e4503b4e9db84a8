/**
 * Features of some images of a set, computed in batches. Images are read and prepared a few ahead; those whose content cannot be read are left out.
 */
import { isImageError, type PixelImage, prefetch } from '@franca/data';
import type { FeatureArrays } from '@franca/evals/node';
import type { Features, ImageBatch, VitConfig } from '@franca/vit';
import { TrainError } from '../errors';
import type { ImageSet } from '../image-sets/image-set';
import { inputSides, type Preparation, prepare } from '../image-sets/preparation';

/**
 * Arrays of n images: `index` [n] in the set, and what was asked for of `blocks` [n, blocks, D], `patch_mean` [n, D], `patches` [n, N, D] and
 * `levels` [n, levels, 1 + N, D], of each block CLS, then the patches. Labels and masks are the set's.
 */
export type FeatureShard = FeatureArrays;

/** Patch tokens of a block, counted from 0: as the block gives them, or after the final norm. */
export interface PatchTokens {
  readonly block: number;
  readonly norm: boolean;
}

/** CLS and patch tokens of several blocks, counted from 0; before any norm or all after the final one. */
export interface LevelTokens {
  readonly blocks: readonly number[];
  readonly norm: boolean;
}

interface ShardRequest {
  readonly blockCls: readonly number[];
  readonly patchMean: boolean;
  readonly patches: boolean;
  readonly blockPatches: readonly number[];
  readonly blockTokens: readonly number[];
}

/** What is needed of a `VitModel`. */
export interface FeatureModel {
  readonly config: VitConfig;
  run(images: ImageBatch, request: ShardRequest): Promise<Features<ShardRequest>>;
}

export interface ShardPlan {
  readonly preparation: Preparation;
  /** Blocks whose CLS tokens are wanted, counted from 0, oldest first. */
  readonly blocks: readonly number[];
  readonly patchMean: boolean;
  readonly patches: boolean | PatchTokens;
  readonly levels?: LevelTokens | undefined;
  /** Numbers of the images in the set, in the order of the rows. */
  readonly images: ArrayLike<number>;
  readonly batchSize: number;
}

export interface ShardListener {
  /** Told after each batch how many images are done. */
  onBatch?(done: number): void;
  /** Told of each image that is left out, and why. */
  onLeftOut?(index: number, reason: string): void;
}

/**
 * Runs the images of a plan; where none can be read, all arrays are of no image.
 * @throws TrainError `data` where an image fails in a way that may pass: what is left out for it would be missing from the cache for good
 */
export async function computeShard(
  model: FeatureModel,
  set: ImageSet,
  plan: ShardPlan,
  { onBatch, onLeftOut }: ShardListener = {},
): Promise<FeatureShard> {
  const { blocks, levels, batchSize, preparation } = plan;
  const { embedDim: D, patchSize, depth, classToken: hasClass = true } = model.config;
  const [height, width] = inputSides(preparation);
  const N = (height / patchSize) * (width / patchSize);
  const shape = [batchSize, 3, height, width] as const;
  // the token of the last block is the model's output
  const inner = blocks.filter((block) => block < depth - 1);
  const request = shardRequest(inner, plan);
  const data = new Float32Array(batchSize * 3 * height * width);
  const shard = emptyShard(plan, D, N);
  let rows = 0;
  for await (const batch of inBatches(preparedImages(set, plan, onLeftOut), batchSize)) {
    for (const [i, { pixels }] of batch.entries()) data.set(pixels, i * pixels.length);
    const features = await model.run({ data, shape }, request);
    for (const [i, { index }] of batch.entries()) {
      shard.index.data[rows + i] = index;
      for (const b of blocks.keys()) {
        const tokens = b < inner.length ? features.blockCls[b]! : features.cls;
        shard.blocks!.data.set(tokens.subarray(i * D, (i + 1) * D), ((rows + i) * blocks.length + b) * D);
      }
    }
    shard.patch_mean?.data.set(features.patchMean!.subarray(0, batch.length * D), rows * D);
    shard.patches?.data.set(patchTokens(features, N).subarray(0, batch.length * N * D), rows * N * D);
    if (levels) copyLevels(features, levels, shard.levels!.data, { at: rows, count: batch.length, N, hasClass });
    rows += batch.length;
    onBatch?.(rows);
  }
  return firstRows(shard, rows);
}

/** Lists of blocks begin with those of the CLS tokens and of `patches`, then come those of the levels. */
function shardRequest(inner: readonly number[], { patchMean, patches, levels }: ShardPlan): ShardRequest {
  const { blocks: normed = [] } = levels?.norm ? levels : {};
  const { blocks: plain = [] } = levels?.norm === false ? levels : {};
  return {
    blockCls: [...inner, ...normed],
    patchMean,
    patches: patches === true,
    blockPatches: [...(typeof patches === 'object' && patches.norm ? [patches.block] : []), ...normed],
    blockTokens: [...(typeof patches === 'object' && !patches.norm ? [patches.block] : []), ...plain],
  };
}

/** Writes CLS, or the mean of the patches where a model has none, and patches of each level of the first `count` images of a batch to the rows from `at`, [rows, levels, 1 + N, D]. */
function copyLevels(
  features: Features<ShardRequest>,
  { blocks, norm }: LevelTokens,
  output: Float32Array,
  {
    at,
    count,
    N,
    hasClass,
  }: { readonly at: number; readonly count: number; readonly N: number; readonly hasClass: boolean },
): void {
  const { dim: D, prefixTokens } = features;
  const last = <T>(list: readonly T[]): readonly T[] => list.slice(list.length - blocks.length);
  const stride = (prefixTokens + N) * D;
  for (let l = 0; l < blocks.length; l++)
    for (let i = 0; i < count; i++) {
      const to = ((at + i) * blocks.length + l) * (1 + N) * D;
      if (norm) {
        output.set(last(features.blockCls)[l]!.subarray(i * D, (i + 1) * D), to);
        output.set(last(features.blockPatches)[l]!.subarray(i * N * D, (i + 1) * N * D), to + D);
        continue;
      }
      const tokens = last(features.blockTokens)[l]!;
      const patches = tokens.subarray(i * stride + prefixTokens * D, (i + 1) * stride);
      output.set(hasClass ? tokens.subarray(i * stride, i * stride + D) : meanToken(patches, D), to);
      output.set(patches, to + D);
    }
}

/** What stands for CLS in a block of a model without: the mean of its patches [N, D]. */
function meanToken(patches: Float32Array, D: number): Float32Array {
  const N = patches.length / D;
  return Float32Array.from({ length: D }, (_, d) => {
    let sum = 0;
    for (let n = 0; n < N; n++) sum += patches[n * D + d]!;
    return sum / N;
  });
}

/** The patch tokens that were asked for, of all images of a batch [B, N, D]. */
function patchTokens(features: Features<ShardRequest>, N: number): Float32Array {
  const { patches, blockPatches, blockTokens, prefixTokens, dim } = features;
  const all = blockTokens[0];
  if (patches ?? !all) return patches ?? blockPatches[0]!;
  const stride = (prefixTokens + N) * dim;
  const tokens = new Float32Array((all.length / stride) * N * dim);
  for (let i = 0; i * stride < all.length; i++)
    tokens.set(all.subarray(i * stride + prefixTokens * dim, (i + 1) * stride), i * N * dim);
  return tokens;
}

/** Room for all images of a plan. */
function emptyShard({ images, blocks, patchMean, patches, levels }: ShardPlan, D: number, N: number) {
  const room = images.length;
  return {
    index: { shape: [room], data: new Int32Array(room) },
    ...(blocks.length > 0 && {
      blocks: { shape: [room, blocks.length, D], data: new Float32Array(room * blocks.length * D) },
    }),
    ...(patchMean && { patch_mean: { shape: [room, D], data: new Float32Array(room * D) } }),
    ...(patches && { patches: { shape: [room, N, D], data: new Float32Array(room * N * D) } }),
    ...(levels && {
      levels: {
        shape: [room, levels.blocks.length, 1 + N, D],
        data: new Float32Array(room * levels.blocks.length * (1 + N) * D),
      },
    }),
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
  /** Input of the model [3, rows, columns]. */
  readonly pixels: Float32Array;
}

/** Images in order; those that cannot be read are left out. */
async function* preparedImages(
  set: ImageSet,
  { preparation, images }: ShardPlan,
  onLeftOut: ShardListener['onLeftOut'],
): AsyncGenerator<PreparedImage> {
  const [height, width] = inputSides(preparation);
  const load = async (index: number, signal: AbortSignal): Promise<PreparedImage | undefined> => {
    const image = await readOrLeaveOut(set, index, { signal, onLeftOut });
    if (!image) return undefined;
    const pixels = new Float32Array(3 * height * width);
    prepare(image, preparation, pixels, index);
    return { index, pixels };
  };
  for await (const image of prefetch(Array.from(images), load, { inFlight: 4, ahead: 8 })) if (image) yield image;
}

/**
 * An image of a set; undefined where its content cannot be read, of which `onLeftOut` hears.
 * @throws TrainError `data` where the failure may pass: what is left out for it would be missing from the cache for good
 */
export async function readOrLeaveOut(
  set: ImageSet,
  index: number,
  { signal, onLeftOut }: Pick<ShardListener, 'onLeftOut'> & { readonly signal?: AbortSignal },
): Promise<PixelImage | undefined> {
  return set.read(index, signal).catch((error: unknown) => {
    if (!isImageError(error)) throw error;
    if (error.code === 'unreadable-now') throw passing(set, index, error);
    onLeftOut?.(index, error.message);
    return undefined;
  });
}

export const passing = (set: ImageSet, index: number, cause: Error): TrainError =>
  new TrainError(
    'data',
    `${set.key(index)} of ${set.dataset} ${set.split}: ${cause.message}; another attempt may succeed: run the command again, which goes on from ` +
      'the shards that are finished, or take the image away',
    { cause },
  );

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
