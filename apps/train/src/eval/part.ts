/** One part of a data set with its features: of whole images, in memory, or of patches, batch by batch. */
import type { PatchFeatures, SegmentationFeatures } from '@franca/evals';
import { collectImages, densePart, type ImageFeatures, imagesOf } from '../features/collect';
import type { FeatureSession } from '../features/session';
import type { ImageSet } from '../image-sets/image-set';
import { centreCrop, describePreparation, type Preparation } from '../image-sets/preparation';
import { squashedMasks } from '../image-sets/squashed-masks';

/** One part of a data set, and how its pixels become input. */
export interface Part {
  readonly set: ImageSet;
  readonly preprocessing: string;
}

export interface ImagePart extends Part {
  readonly features: ImageFeatures;
}

/** Patch tokens of one part, batch by batch; may be iterated several times. */
export interface DensePart extends Part {
  readonly batches: AsyncIterable<PatchFeatures>;
}

/** Patch tokens with masks. */
export interface SegmentationPart extends Part {
  readonly batches: AsyncIterable<SegmentationFeatures>;
}

export interface Parts<P> {
  readonly train: P;
  readonly test: P;
}

export interface ImageOptions {
  /** CLS tokens of so many last blocks are kept, as far as the model has them; default 1. */
  readonly blocks?: number;
  /** Shorter side before the centre is cut out; default 8/7 of the input. */
  readonly resize?: number;
}

/** CLS tokens and mean patch tokens of the images of `set`. */
export async function imagePart(
  { size, weights, model, shards }: FeatureSession,
  set: ImageSet,
  { blocks = 1, resize }: ImageOptions,
): Promise<ImagePart> {
  const preparation = { ...centreCrop(size), ...(resize ? { resize } : {}) };
  const request = { preparation, blocks: Math.min(blocks, model.config.depth) };
  const features = await collectImages(shards(set, request), set, weights.rasa.planes);
  return { set, preprocessing: describePreparation(preparation), features };
}

/** Patch tokens of the images of `set`, with masks where it has them; nothing is computed before they are iterated. */
export function patchPart({ size, weights, shards }: FeatureSession, set: ImageSet): DensePart {
  const preparation: Preparation = { kind: 'squash', size };
  const batches = {
    async *[Symbol.asyncIterator](): AsyncGenerator<PatchFeatures & Partial<SegmentationFeatures>> {
      for await (const shard of shards(set, { preparation, patches: true })) {
        const tokens = densePart(shard, weights.rasa.planes);
        yield set.mask ? { ...tokens, ...(await squashedMasks(set, imagesOf(shard), size)) } : tokens;
      }
    },
  };
  return { set, preprocessing: describePreparation(preparation), batches };
}
