/**
 * Where train images of linear segmentation come from: memory, parts that are read as they are needed, or an epoch that
 * the caller makes. Each epoch sees every image once, in an order of its own: the order of the parts is drawn, then that
 * of the images within each, so that one part at a time is held. A set in memory is a single part.
 */
import { checkSet, SEGMENTATION } from '../check-features';
import { checkOption, EvalsError } from '../errors';
import { imageCount, maskOf, type SegmentationFeatures } from '../features';
import { permutation, type Random } from '../numerics/random';

/** The images of one epoch in batches, one per step. */
export type EpochSource = (epoch: number) => Iterable<SegmentationFeatures> | AsyncIterable<SegmentationFeatures>;

/** Train images in parts that are read when they are needed, such as shards on disk. */
export interface SegmentationStream {
  /** Images of each part. */
  readonly parts: readonly number[];
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

/** Epochs of `images`: every image once, in a new order each time, the last batch possibly smaller. */
export function epochsOf({ stream, kept }: TrainImages, batchSize: number, draws: Random): EpochSource {
  return async function* epoch() {
    let rest: SegmentationFeatures | undefined;
    for (const part of permutation(kept.length, draws)) {
      const own = kept[part]!;
      const order = permutation(own.length, draws).map((i) => own[i]!);
      if (order.length === 0) continue;
      const features = await readPart(stream, part);
      for (let i = 0; i < order.length; ) {
        const wanted = batchSize - (rest ? imageCount(rest) : 0);
        const taken = takeImages(features, order.subarray(i, i + wanted));
        i += wanted;
        rest = rest ? joinImages(rest, taken) : taken;
        if (imageCount(rest) < batchSize) continue;
        yield rest;
        rest = undefined;
      }
    }
    if (rest) yield rest;
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

function joinImages(a: SegmentationFeatures, b: SegmentationFeatures): SegmentationFeatures {
  checkOption(
    a.dim === b.dim && a.grid.join() === b.grid.join() && a.maskSize.join() === b.maskSize.join(),
    `parts of train with grids of ${a.grid.join(' x ')} and ${b.grid.join(' x ')} patches, masks of ${a.maskSize.join(' x ')} and ${b.maskSize.join(' x ')}; they must be alike`,
  );
  const patches = new Float32Array(a.patches.length + b.patches.length);
  patches.set(a.patches);
  patches.set(b.patches, a.patches.length);
  const masks = new Uint8Array(a.masks.length + b.masks.length);
  masks.set(a.masks);
  masks.set(b.masks, a.masks.length);
  return { ...a, patches, masks };
}
