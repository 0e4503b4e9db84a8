/**
 * The shards of a set as files: one for each shard and output. What is missing is computed, in one run of the model over the images of the shard.
 *
 * Several processes can do so at once. Each claims a shard before it computes; one that comes to a shard of another goes on with the next that nobody has,
 * and comes back to wait. A process that is killed loses the shard it was at.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { EvalsError } from '@franca/evals';
import type {
  FeatureArray,
  FeatureCache,
  FeatureClaim,
  FeatureFile,
  FeatureKey,
  FloatsOnDisk,
} from '@franca/evals/node';
import { TrainError } from '../errors';
import type { ImageSet } from '../image-sets/image-set';
import { describePreparation, inputSides, type Preparation } from '../image-sets/preparation';
import { computeShard, type FeatureModel, type FeatureShard } from './compute-shard';
import type { ImageVersions } from './image-versions';
import type { LeftOutImages } from './left-out-images';
import {
  bytesOfImage,
  joinOutputs,
  type OutputRequest,
  outputShape,
  outputsOf,
  outputText,
  planOf,
  type StoredOutput,
  takeOutput,
} from './stored-outputs';

export interface Extraction {
  readonly model: FeatureModel;
  /** What the model is called where the cache is listed. */
  readonly name: string;
  /** Identity of the weights, for the cache. */
  readonly weights: string;
  /** What computes: see `extractionCode`. */
  readonly code: string;
  readonly versions: ImageVersions;
  readonly leftOut: LeftOutImages;
  readonly cache: FeatureCache;
  /** How features are kept in it. */
  readonly floats: FloatsOnDisk;
  readonly batchSize: number;
  /** What a shard of one token of each patch may take; default 256 MiB. */
  readonly shardBytes?: number;
  /** Called after each batch: images done and in all, and whether they came from the cache. */
  readonly onProgress?: (done: number, total: number, cached: boolean) => void;
  /** Called once where there is nothing left to do but wait for another process. */
  readonly onWaiting?: () => void;
}

/** Outputs of images that were prepared in one way. */
export interface ShardRequest extends OutputRequest {
  readonly preparation: Preparation;
}

const SHARD_BYTES = 256 * 2 ** 20;
/** Images of a shard, so that a stop costs minutes of a slow device, not hours. */
export const MOST_IMAGES = 256;

/** Images of a shard; the last may have fewer. The same whatever outputs are asked for, so that they are found again in any company. */
export function imagesPerShard(
  { model, shardBytes = SHARD_BYTES }: Pick<Extraction, 'model' | 'shardBytes'>,
  { preparation, levels }: ShardRequest,
): number {
  const { embedDim, patchSize } = model.config;
  const [height, width] = inputSides(preparation);
  const tokens = (levels?.blocks.length ?? 1) * (1 + (height / patchSize) * (width / patchSize));
  return Math.min(MOST_IMAGES, Math.max(1, Math.floor(shardBytes / (4 * embedDim * tokens))));
}

/** What tells the set in keys, and what it is called; of no set that is empty. */
export async function keyOfSet(
  { name, weights, code, versions }: Pick<Extraction, 'name' | 'weights' | 'code' | 'versions'>,
  set: ImageSet,
): Promise<Pick<FeatureKey, 'weights' | 'code' | 'set' | 'about'>> {
  return {
    weights,
    code,
    // neither its name, which an option may change, nor every image, of which one may be repaired
    set: `${set.length} images from ${await versions(set, 0, 1)}`,
    about: { model: name, data: `${set.dataset} ${set.split}`, items: set.length },
  };
}

/** Shards of a set on disk. Whatever is asked for is computed first where it is not there. */
export interface ShardFiles {
  readonly perShard: number;
  readonly count: number;
  /** The images that a shard has rows of [rows]. */
  images(shard: number): Promise<Int32Array>;
  /** All outputs of a shard. */
  read(shard: number): Promise<FeatureShard>;
  /** The values of each output, of rows `begin` up to, not including, `end` of a shard; nothing else is read. */
  readRows(shard: number, begin: number, end: number): Promise<FeatureArray['data'][]>;
  /** How many images there are all outputs of, and their bytes: nothing is computed. */
  held(): Promise<{ readonly images: number; readonly bytes: number }>;
}

/** Nothing is computed before a shard is asked for. */
export async function openShardFiles(
  extraction: Extraction,
  set: ImageSet,
  request: ShardRequest,
): Promise<ShardFiles> {
  const { cache, model } = extraction;
  const outputs = outputsOf(model.config, request);
  if (outputs.length === 0) throw new TrainError('usage', `of ${set.dataset} ${set.split} no output is asked for`);
  const perShard = imagesPerShard(extraction, request);
  const count = Math.ceil(set.length / perShard);
  const range: ShardsToFill['range'] = (shard) => [shard * perShard, Math.min((shard + 1) * perShard, set.length)];
  const keysOfImages = await shardKeys(extraction, set, request.preparation, outputs);
  const keysOf = (shard: number): Promise<FeatureKey[]> => keysOfImages(...range(shard));
  const filler = shardFiller(extraction, set, request.preparation, { outputs, keysOf, range, count });

  const open = async <T>(shard: number, use: (files: readonly FeatureFile[]) => Promise<T>): Promise<T> => {
    for (let attempt = 0; attempt < 3; attempt++) {
      await using files = await openAll(cache, await keysOf(shard));
      if (files) return await use(files.list);
      await filler.fill(shard);
    }
    throw new TrainError(
      'file',
      `features in ${cache.folder} vanish as soon as they are written; give another --cache`,
    );
  };
  const imagesIn = async (shard: number, files: readonly FeatureFile[]): Promise<Int32Array> => {
    filler.finish(shard, true);
    return sameImages(await Promise.all(files.map((file) => file.read('index') as Promise<Int32Array>)), set);
  };
  const arrayIn = async (file: FeatureFile): Promise<FeatureArray> => {
    return { shape: file.shapes.get('values')!, data: await file.read('values') };
  };
  return {
    perShard,
    count,
    images: (shard) => open(shard, (files) => imagesIn(shard, files)),
    read: (shard) =>
      open(shard, async (files) =>
        joinOutputs(await imagesIn(shard, files), outputs, await Promise.all(files.map(arrayIn))),
      ),
    readRows: (shard, begin, end) =>
      open(shard, (files) => Promise.all(files.map((file) => file.read('values', begin, end)))),
    async held() {
      let images = 0;
      let bytes = 0;
      for (let shard = 0; shard < count; shard++) {
        const sizes = await Promise.all((await keysOf(shard)).map(cache.size));
        if (sizes.includes(undefined)) continue;
        const [first, end] = range(shard);
        images += end - first;
        bytes += sizes.reduce((sum: number, size) => sum + size!, 0);
      }
      return { images, bytes };
    },
  };
}

/** What each output of a shard is found by. */
async function shardKeys(
  extraction: Extraction,
  set: ImageSet,
  preparation: Preparation,
  outputs: readonly StoredOutput[],
): Promise<(first: number, end: number) => Promise<FeatureKey[]>> {
  if (set.length === 0) return async () => [];
  const common = {
    ...(await keyOfSet(extraction, set)),
    preprocessing: describePreparation(preparation),
    floats: extraction.floats,
  };
  return async (first, end) => {
    const data = await extraction.versions(set, first, end);
    return outputs.map((output) => ({ ...common, data, outputs: outputText(output), items: [first, end] }));
  };
}

interface ShardsToFill {
  readonly outputs: readonly StoredOutput[];
  readonly keysOf: (shard: number) => Promise<FeatureKey[]>;
  readonly range: (shard: number) => [first: number, end: number];
  readonly count: number;
}

const POLL_MS = 250;

/** Computes shards that are not there. */
function shardFiller(
  extraction: Extraction,
  set: ImageSet,
  preparation: Preparation,
  { outputs, keysOf, range, count }: ShardsToFill,
) {
  const { cache, model, leftOut, batchSize, floats, onProgress, onWaiting } = extraction;
  const done = new Set<number>();
  let images = 0;
  /** The next shard to go on with where another process has the one that is asked for. */
  let ahead = 0;
  let waited = false;
  /** Counts a shard that is there, once. */
  const finish = (shard: number, cached: boolean): void => {
    if (done.has(shard)) return;
    done.add(shard);
    const [first, end] = range(shard);
    images += end - first;
    onProgress?.(images, set.length, cached);
  };
  const compute = async (shard: number, wanted: readonly StoredOutput[]): Promise<FeatureShard> => {
    const [first, end] = range(shard);
    const numbers = Array.from({ length: end - first }, (_, i) => first + i);
    return computeShard(
      model,
      set,
      { preparation, ...planOf(wanted), images: numbers, batchSize },
      {
        onBatch: (rows) => onProgress?.(images + rows, set.length, false),
        onLeftOut: (index, reason) => leftOut.add(set, index, reason),
      },
    );
  };
  /** Whether it is there now; false where another process has it. */
  const attempt = async (shard: number): Promise<boolean> => {
    const keys = await keysOf(shard);
    await using claims = await claimAll(cache, await missingOf(cache, keys));
    if (!claims) return false;
    // another may have finished between the two
    const missing = await missingOf(cache, keys);
    if (missing.length > 0) {
      const wanted = outputs.filter((_, i) => missing.includes(keys[i]!));
      const computed = await compute(shard, wanted);
      for (const [i, key] of missing.entries())
        await cache
          .write(key, { index: computed.index!, values: takeOutput(computed, wanted, wanted[i]!) })
          .catch(refuseWithAdvice);
    }
    finish(shard, missing.length === 0);
    return true;
  };
  const reserve = async (): Promise<void> => {
    const bytes = outputs.map(
      (each) => set.length * bytesOfImage(outputShape(each, model.config, preparation), floats),
    );
    const needs = (await keysOf(0)).map((key, i) => ({ key, bytes: bytes[i]! }));
    await cache.reserve(`${set.dataset} ${set.split}`, needs).catch(refuseWithAdvice);
  };
  const fill = async (shard: number): Promise<void> => {
    await reserve();
    ahead = Math.max(ahead, shard + 1);
    while (!(await attempt(shard))) {
      while (ahead < count && !(await attempt(ahead))) ahead += 1;
      ahead += 1;
      if (ahead <= count) continue;
      if (!waited) onWaiting?.();
      waited = true;
      await pause(POLL_MS);
    }
  };
  return { fill, finish };
}

const ADVICE: Readonly<Record<string, string>> = {
  space:
    'allow more with --cache-limit, keep them on another disk with --cache, take half with --cache-type f16, remove what is not needed (franca-train cache), ' +
    'or take fewer images with --images',
  features: 'which is --cache-type f32',
};

/** A refusal of the cache with what to do about it here. */
function refuseWithAdvice(error: unknown): never {
  const advice = error instanceof EvalsError ? ADVICE[error.code] : undefined;
  throw advice === undefined
    ? error
    : new TrainError('data', `${(error as Error).message}; ${advice}`, { cause: error });
}

async function missingOf(cache: FeatureCache, keys: readonly FeatureKey[]): Promise<FeatureKey[]> {
  const sizes = await Promise.all(keys.map(cache.size));
  return keys.filter((_, i) => sizes[i] === undefined);
}

/** Claims on all of these features, or none. */
async function claimAll(cache: FeatureCache, keys: readonly FeatureKey[]): Promise<AsyncDisposable | undefined> {
  const claims: FeatureClaim[] = [];
  const release = async (): Promise<void> => {
    for (const claim of claims) await claim.release();
  };
  for (const key of keys) {
    const claim = await cache.claim(key);
    if (claim) claims.push(claim);
    else {
      await release();
      return undefined;
    }
  }
  return { [Symbol.asyncDispose]: release };
}

/** Open files of all these features, or none. */
async function openAll(
  cache: FeatureCache,
  keys: readonly FeatureKey[],
): Promise<(AsyncDisposable & { readonly list: readonly FeatureFile[] }) | undefined> {
  const list = (await Promise.all(keys.map(cache.open))).filter((file) => file !== undefined);
  const close = async (): Promise<void> => {
    await Promise.all(list.map((file) => file.close()));
  };
  if (list.length === keys.length) return { list, [Symbol.asyncDispose]: close };
  await close();
  return undefined;
}

/** The images that all files have rows of. */
function sameImages([images, ...others]: readonly Int32Array[], { dataset, split }: ImageSet): Int32Array {
  const differ = (other: Int32Array): boolean =>
    other.length !== images!.length || other.some((image, row) => image !== images![row]);
  if (!others.some(differ)) return images!;
  throw new TrainError(
    'data',
    `some images of ${dataset} ${split} could be read when some of its features were computed, and not when others were; ` +
      'remove them with franca-train cache remove, so that they are computed anew',
  );
}
