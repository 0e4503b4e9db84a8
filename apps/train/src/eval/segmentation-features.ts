/**
 * Patch tokens of segmentation data as an evaluation reads them: in memory where they are few, else shard by shard, so that no
 * set has to fit in memory. With all in memory an epoch is in an order drawn over all images, else shards are drawn, then images within each.
 */
import { createRandom, permutation } from '@franca/data';
import { type EpochSource, type SegmentationFeatures, type SegmentationStream, takeImages } from '@franca/evals';
import type { CropRecipe } from '../image-sets/crops';
import { collectSegmentation, type MaskedFeatures, type SegmentationPart } from './part';

const HELD_BYTES = 2 ** 30;
const BYTES = 4;
const SEED = 0;
const CROPS_AT_ONCE = 64;

const isSmall = ({ patches, dim }: SegmentationPart): boolean => BYTES * patches * dim <= HELD_BYTES;

/** Where features are read from: a value, or batches that may be read several times. */
export type Readable = MaskedFeatures | AsyncIterable<MaskedFeatures>;

/** To be read once or several times, in order. */
export const readable = async (part: SegmentationPart): Promise<Readable> =>
  isSmall(part) ? collectSegmentation(part) : part.batches;

/** To be learnt from. */
export async function learnable(part: SegmentationPart): Promise<SegmentationFeatures | SegmentationStream> {
  if (isSmall(part)) return collectSegmentation(part);
  // all shards are computed before the first step; some may have no picture that can be read
  const shards: number[] = [];
  const counts: number[] = [];
  for (let number = 0; number < part.shards; number++) {
    const shard = await part.shard(number);
    if (!shard) continue;
    shards.push(number);
    counts.push(shard.images.length);
  }
  return { parts: counts, read: async (at) => (await part.shard(shards[at]!))! };
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

/** Several passes of random crops of these images, in their order. */
export const croppedPasses = (
  part: SegmentationPart,
  images: readonly number[],
  { recipe, passes }: { readonly recipe: CropRecipe; readonly passes: number },
): AsyncIterable<SegmentationFeatures> =>
  readAgain(async function* () {
    for (let pass = 0; pass < passes; pass++) yield* part.crops(images, { recipe, seed: SEED, pass }, CROPS_AT_ONCE);
  });

const readAgain = <T>(begin: () => AsyncGenerator<T>): AsyncIterable<T> => ({ [Symbol.asyncIterator]: begin });

/** Epochs of random crops: every image once, in an order and with crops of its own (seed 0). */
export const croppedEpochs =
  (part: SegmentationPart, recipe: CropRecipe, batchSize: number): EpochSource =>
  (epoch) => {
    const order = permutation(part.set.length, createRandom({ seed: SEED, position: epoch, stream: 0 }));
    return part.crops(order, { recipe, seed: SEED, pass: epoch }, batchSize);
  };
