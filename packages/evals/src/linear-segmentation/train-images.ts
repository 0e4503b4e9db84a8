/**
 * Where train images of linear segmentation come from: memory, parts that are read as they are needed, or an epoch that
 * the caller makes. Each epoch sees every image once, in an order of its own: the order of the parts is drawn, then that
 * of the images over a pool of so many parts as are held at a time. A set in memory is a single part.
 *
 * Parts that lie by kind on disk, as scenes of ADE20K do, would without a pool make batches of one kind each. Source of
 * the pool: CorgiPile, Xu et al., SIGMOD 2022.
 */
import { checkSet, SEGMENTATION } from '../check-features';
import { checkOption, EvalsError } from '../errors';
import { imageCount, maskOf, type SegmentationFeatures } from '../features';
import { LONGEST_ARRAY } from '../matrix';
import { permutation, type Random } from '../numerics/random';

/** The images of one epoch in batches, one per step. */
export type EpochSource = (epoch: number) => Iterable<SegmentationFeatures> | AsyncIterable<SegmentationFeatures>;

/** Train images in parts that are read when they are needed, such as shards on disk. */
export interface SegmentationStream {
  /** Images of each part. */
  readonly parts: readonly number[];
  /** Parts that are held at once, and over whose images an order is drawn; default 1. */
  readonly pool?: number;
  /** A part, the same each time. */
  read(part: number): Promise<SegmentationFeatures>;
}

/** All kinds of train images; with an `EpochSource` nothing can be held out of them. */
export type SegmentationTrain =
  | SegmentationFeatures
  | readonly SegmentationFeatures[]
  | SegmentationStream
  | EpochSource;

/** Some images of a stream: `kept[p]` are those of part `p`, by their number in it. */
export interface TrainImages {
  readonly stream: SegmentationStream;
  readonly kept: readonly Int32Array[];
}

/**
 * @throws EvalsError as `checkSet`, and `features` where a part has another number of images than was said
 */
export function trainImages(train: Exclude<SegmentationTrain, EpochSource>): TrainImages {
  const stream = streamOf(train);
  return { stream, kept: stream.parts.map((images) => Int32Array.from({ length: images }, (_, i) => i)) };
}

function streamOf(train: Exclude<SegmentationTrain, EpochSource>): SegmentationStream {
  if (typeof train === 'object' && train !== null && 'read' in train) return train;
  const parts = isList(train) ? train : [train];
  for (const part of parts) checkSet('linearSegmentation: train', part, SEGMENTATION);
  return { parts: parts.map(imageCount), read: async (part) => parts[part]! };
}

const isList = (
  train: SegmentationFeatures | readonly SegmentationFeatures[],
): train is readonly SegmentationFeatures[] => Array.isArray(train);

/** The images with the given numbers over all parts, ascending. */
export function someImages({ stream }: TrainImages, numbers: Int32Array): TrainImages {
  let first = 0;
  const kept = stream.parts.map((images) => {
    const own = numbers.filter((number) => number >= first && number < first + images).map((number) => number - first);
    first += images;
    return own;
  });
  return { stream, kept };
}

/**
 * Epochs of `images`: every image once, in a new order each time, the last batch possibly smaller. Epochs are asked for in ascending order; a training that goes
 * on begins with a later one. A batch is good until the next is asked for.
 */
export function epochsOf({ stream, kept }: TrainImages, batchSize: number, draws: Random): EpochSource {
  let drawn = 0;
  return async function* epoch(number) {
    for (; drawn < number; drawn++) drawPools({ stream, kept }, draws);
    const pools = drawPools({ stream, kept }, draws);
    drawn++;
    let batch: OpenBatch | undefined;
    for (const { parts, order } of pools) {
      const images: { readonly features: SegmentationFeatures; readonly image: number }[] = [];
      for (const part of parts) {
        if (kept[part]!.length === 0) continue;
        const features = await readPart(stream, part);
        for (const image of kept[part]!) images.push({ features, image });
      }
      for (const at of order) {
        const { features, image } = images[at]!;
        batch ??= openBatch(features, Math.min(batchSize, countImages(kept)));
        if (batch.add(features, image)) yield batch.take();
      }
    }
    if (batch && batch.count() > 0) yield batch.take();
  };
}

/** Parts that are held at once, and the order of their images, counted over all of them. */
interface Pool {
  readonly parts: Int32Array;
  readonly order: Int32Array;
}

function drawPools({ stream: { pool = 1 }, kept }: TrainImages, draws: Random): Pool[] {
  const drawn = permutation(kept.length, draws);
  return Array.from({ length: Math.ceil(kept.length / pool) }, (_, i) => {
    const parts = drawn.subarray(i * pool, (i + 1) * pool);
    return { parts, order: permutation(countImages(Array.from(parts, (part) => kept[part]!)), draws) };
  });
}

const countImages = (kept: readonly Int32Array[]): number => kept.reduce((sum, own) => sum + own.length, 0);

/** A batch that fills up; its memory is used again for the next. */
interface OpenBatch {
  /** Copies an image into it; whether it is full then. */
  add(features: SegmentationFeatures, image: number): boolean;
  count(): number;
  take(): SegmentationFeatures;
}

function openBatch(first: SegmentationFeatures, size: number): OpenBatch {
  const tokens = first.grid[0] * first.grid[1] * first.dim;
  const pixels = first.maskSize[0] * first.maskSize[1];
  checkOption(
    size * tokens <= LONGEST_ARRAY,
    `a batch of ${size} images of ${tokens} numbers does not fit an array of at most ${LONGEST_ARRAY}; give a smaller batchSize`,
  );
  const patches = new Float32Array(size * tokens);
  const masks = new Uint8Array(size * pixels);
  let count = 0;
  return {
    add(features, image) {
      checkAlike(first, features);
      patches.set(features.patches.subarray(image * tokens, (image + 1) * tokens), count * tokens);
      masks.set(maskOf(features, image), count * pixels);
      return ++count === size;
    },
    count: () => count,
    take() {
      const filled = count;
      count = 0;
      return { ...first, patches: patches.subarray(0, filled * tokens), masks: masks.subarray(0, filled * pixels) };
    },
  };
}

/** The images in their order, part by part. */
export async function* readImages({ stream, kept }: TrainImages): AsyncGenerator<SegmentationFeatures> {
  for (const [part, own] of kept.entries()) {
    if (own.length === 0) continue;
    const features = await readPart(stream, part);
    yield own.length === imageCount(features) ? features : takeImages(features, own);
  }
}

async function readPart(stream: SegmentationStream, part: number): Promise<SegmentationFeatures> {
  const features = await stream.read(part);
  checkSet(`linearSegmentation: train (part ${part})`, features, SEGMENTATION);
  if (imageCount(features) !== stream.parts[part])
    throw new EvalsError(
      'features',
      `part ${part} of train has ${imageCount(features)} images; it was said to have ${stream.parts[part]}`,
    );
  return features;
}

/**
 * The features and masks of the images with the given numbers, copied in that order.
 *
 * @throws EvalsError `features` or `labels` where they are none
 */
export function takeImages(features: SegmentationFeatures, images: ArrayLike<number>): SegmentationFeatures {
  checkSet('takeImages: features', features, SEGMENTATION);
  const tokens = features.grid[0] * features.grid[1] * features.dim;
  const pixels = features.maskSize[0] * features.maskSize[1];
  const patches = new Float32Array(images.length * tokens);
  const masks = new Uint8Array(images.length * pixels);
  for (let i = 0; i < images.length; i++) {
    patches.set(features.patches.subarray(images[i]! * tokens, (images[i]! + 1) * tokens), i * tokens);
    masks.set(maskOf(features, images[i]!), i * pixels);
  }
  return { ...features, patches, masks };
}

function checkAlike(a: SegmentationFeatures, b: SegmentationFeatures): void {
  checkOption(
    a.dim === b.dim && a.grid.join() === b.grid.join() && a.maskSize.join() === b.maskSize.join(),
    `parts of train with grids of ${a.grid.join(' x ')} and ${b.grid.join(' x ')} patches, masks of ${a.maskSize.join(' x ')} and ${b.maskSize.join(' x ')}; they must be alike`,
  );
}
