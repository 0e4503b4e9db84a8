/** One part of a data set with its features: of whole images, in memory, or of patches, batch by batch. */
import type { PatchFeatures, SegmentationFeatures } from '@franca/evals';
import { collectDense, collectImages, densePart, type ImageFeatures, imagesOf } from '../features/collect';
import type { PatchTokens } from '../features/compute-shard';
import type { FeatureSession } from '../features/session';
import { chosenOf, type ImageSet } from '../image-sets/image-set';
import type { PairSet } from '../image-sets/pair-set';
import { centreCrop, describePreparation, type Preparation } from '../image-sets/preparation';
import type { SurveyedMasks } from '../image-sets/survey-masks';

/** One part of a data set, and how its pixels become input. */
export interface Part {
  readonly set: ImageSet;
  readonly preprocessing: string;
  /** Side of the input, where it is not the session's, or in words the grids of inputs of several sizes. */
  readonly size?: number | string;
}

export interface ImagePart extends Part {
  readonly features: ImageFeatures;
}

/** Patch tokens of one part, batch by batch; may be iterated several times. */
export interface DensePart extends Part {
  readonly batches: AsyncIterable<IndexedPatches>;
}

/** Patch tokens, and which images of the set they are of. */
export interface IndexedPatches extends PatchFeatures {
  readonly images: readonly number[];
}

/** Patch tokens with masks, and which images of the set they are of. */
export interface MaskedFeatures extends SegmentationFeatures {
  readonly images: readonly number[];
}

/** Pictures with usable masks. */
export interface SegmentationPart extends Part {
  readonly batches: AsyncIterable<MaskedFeatures>;
  /** Whether each class has a pixel in the masks. */
  readonly occurs: readonly boolean[];
}

/** Pairs of pictures with key points, and patch tokens of their pictures. */
export interface PairPart {
  readonly pairs: PairSet;
  /** What the choice of sizes and features rests on. */
  readonly model: {
    /** Side of the input. */
    readonly size: number;
    readonly patchSize: number;
    readonly depth: number;
    readonly hasRasa: boolean;
  };
  /** Tokens of these pictures in the order of the set, several at a time; those that could not be read are absent. */
  tokens(
    pictures: readonly number[],
    options: { readonly preparation: Preparation; readonly patches: PatchTokens },
  ): AsyncIterable<ReadonlyMap<number, PatchFeatures>>;
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

/** Whether tokens are those after the model's final norm or before it. */
export type TokenStage = 'after-norm' | 'before-norm';

/**
 * Patch tokens of the images of `set`; nothing is computed before they are iterated. RASA is for tokens after the final norm: before it nothing is taken
 * away.
 */
export function patchPart(
  { size, weights, model, shards }: FeatureSession,
  set: ImageSet,
  stage: TokenStage = 'after-norm',
): DensePart {
  const preparation: Preparation = { kind: 'squash', size };
  const normed = stage === 'after-norm';
  const patches = normed || { block: model.config.depth - 1, norm: false };
  const batches = {
    async *[Symbol.asyncIterator](): AsyncGenerator<IndexedPatches> {
      for await (const shard of shards(set, { preparation, patches }))
        yield { ...densePart(shard, normed ? weights.rasa.planes : []), images: imagesOf(shard) };
    },
  };
  return { set, preprocessing: describePreparation(preparation), batches };
}

/** The same with masks that were surveyed. */
export function segmentationPart(session: FeatureSession, { set, masks, occurs }: SurveyedMasks): SegmentationPart {
  const { size, weights, shards } = session;
  const preparation: Preparation = { kind: 'squash', size };
  const batches = {
    async *[Symbol.asyncIterator](): AsyncGenerator<MaskedFeatures> {
      for await (const shard of shards(set, { preparation, patches: true })) {
        const images = imagesOf(shard);
        yield { ...densePart(shard, weights.rasa.planes), ...masks(images), images };
      }
    },
  };
  return { set, preprocessing: describePreparation(preparation), batches, occurs };
}

/** Tokens of chosen pictures of pairs. RASA is for tokens after the final norm: before it nothing is taken away. */
export function pairPart({ size, weights, shards }: FeatureSession, pairs: PairSet): PairPart {
  const { patchSize, depth } = weights.config;
  const hasRasa = weights.rasa.folded !== undefined || weights.rasa.planes.length > 0;
  // the same choice is the same set at every size, so that a picture that cannot be read counts once
  const chosen = new Map<string, ImageSet>();
  return {
    pairs,
    model: { size, patchSize, depth, hasRasa },
    async *tokens(pictures, options) {
      const set = chosen.get(pictures.join()) ?? chosenOf(pairs.pictures, pictures);
      chosen.set(pictures.join(), set);
      for await (const shard of shards(set, options)) {
        const { dim, grid, patches } = densePart(shard, options.patches.norm ? weights.rasa.planes : []);
        const length = grid[0] * grid[1] * dim;
        const rows = imagesOf(shard).map((index, row) => {
          const tokens = patches.subarray(row * length, (row + 1) * length);
          return [pictures[index]!, { dim, grid, patches: tokens }] as const;
        });
        yield new Map(rows);
      }
    },
  };
}

/** All batches as one value. */
export async function collectSegmentation({ batches }: SegmentationPart): Promise<MaskedFeatures> {
  const images: number[] = [];
  const noted = async function* (): AsyncGenerator<MaskedFeatures> {
    for await (const batch of batches) {
      images.push(...batch.images);
      yield batch;
    }
  };
  return { ...(await collectDense(noted())), images };
}
