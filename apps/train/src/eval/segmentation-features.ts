/**
 * Patch tokens of segmentation data as an evaluation reads them: in memory where they are few, else shard by shard, so that no
 * set has to fit in memory. With all in memory an epoch is in an order drawn over all images, else shards are drawn, then images over a pool of several.
 */
import { totalmem } from 'node:os';
import { createRandom, permutation } from '@franca/data';
import {
  type EpochSource,
  type PlacedFeatures,
  type SegmentationFeatures,
  type SegmentationStream,
  takeImages,
} from '@franca/evals';
import type { CropRecipe } from '../image-sets/crops';
import type { MaskedFeatures, SegmentationPart } from './part';

/** Patches of a set that are held, where it has no more. */
export const HELD_BYTES: number = 2 ** 30;
/** Shards over whose images an order is drawn. */
export const POOL_BYTES: number = 2 ** 31;
/** Patches that an in-context search holds, of test and train together. */
export const SEARCH_BYTES: number = Math.min(4 * 2 ** 30, totalmem() / 8);
const BYTES = 4;
const SEED = 0;
const CROPS_AT_ONCE = 64;

const bytesOf = ({ patches, dim }: SegmentationPart): number => BYTES * patches * dim;
const isSmall = (part: SegmentationPart): boolean => bytesOf(part) <= HELD_BYTES;

/** Where features are read from: a value, or batches that may be read several times. */
export type Readable = MaskedFeatures | AsyncIterable<MaskedFeatures>;

/** To be read once or several times, in order. */
export const readable = async (part: SegmentationPart): Promise<Readable> =>
  isSmall(part) ? held(part) : part.batches;

/** To be learnt from. */
export async function learnable(part: SegmentationPart): Promise<SegmentationFeatures | SegmentationStream> {
  if (isSmall(part)) return held(part);
  // all shards are computed before the first step; some may have no picture that can be read
  const shards: number[] = [];
  const counts: number[] = [];
  for (let number = 0; number < part.shards; number++) {
    const shard = await part.shard(number);
    if (!shard) continue;
    shards.push(number);
    counts.push(shard.images.length);
  }
  const pool = Math.max(1, Math.floor((POOL_BYTES * part.shards) / bytesOf(part)));
  return { parts: counts, pool, read: async (at) => (await part.shard(shards[at]!))! };
}

/** All batches of a small part as one value. */
async function held({ batches }: SegmentationPart): Promise<MaskedFeatures> {
  const all: MaskedFeatures[] = [];
  for await (const batch of batches) all.push(batch);
  const patches = new Float32Array(all.reduce((sum, batch) => sum + batch.patches.length, 0));
  const masks = new Uint8Array(all.reduce((sum, batch) => sum + batch.masks.length, 0));
  let [patch, pixel] = [0, 0];
  for (const batch of all) {
    patches.set(batch.patches, patch);
    masks.set(batch.masks, pixel);
    patch += batch.patches.length;
    pixel += batch.masks.length;
  }
  return { ...all[0]!, patches, masks, images: all.flatMap(({ images }) => images) };
}

/** The batches of a value or of a series. */
export const batchesOf = (source: Readable): Iterable<MaskedFeatures> | AsyncIterable<MaskedFeatures> =>
  'images' in source ? [source] : source;

/** The features of the images with these numbers, batch by batch. */
export const onlyOf = (source: Readable, wanted: ReadonlySet<number>): AsyncIterable<SegmentationFeatures> =>
  readAgain(async function* () {
    for await (const batch of batchesOf(source)) {
      const rows = [...batch.images.keys()].filter((row) => wanted.has(batch.images[row]!));
      if (rows.length > 0) yield takeImages(batch, rows);
    }
  });

/** Several passes of random crops of these images, in their order, from a place on: how many crops came before, readable or not. */
export const croppedPasses = (
  part: SegmentationPart,
  images: readonly number[],
  { recipe, passes }: { readonly recipe: CropRecipe; readonly passes: number },
): ((from: number) => AsyncIterable<PlacedFeatures>) =>
  async function* (from) {
    const count = images.length;
    for (let pass = Math.floor(from / count); pass < passes; pass++) {
      let at = Math.max(0, from - pass * count);
      const draw = { recipe, seed: SEED, pass };
      for await (const crops of part.crops(images.slice(at), draw, CROPS_AT_ONCE)) {
        at = images.indexOf(crops.images.at(-1)!, at) + 1;
        yield { ...crops, next: pass * count + at };
      }
    }
  };

const readAgain = <T>(begin: () => AsyncGenerator<T>): AsyncIterable<T> => ({ [Symbol.asyncIterator]: begin });

/** Epochs of random crops: every image once, in an order and with crops of its own (seed 0). */
export const croppedEpochs =
  (part: SegmentationPart, recipe: CropRecipe, batchSize: number): EpochSource =>
  (epoch) => {
    const order = permutation(part.set.length, createRandom({ seed: SEED, position: epoch, stream: 0 }));
    return part.crops(order, { recipe, seed: SEED, pass: epoch }, batchSize);
  };
