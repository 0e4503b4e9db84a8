/** One part of a data set with its features: what all have in common, and those of patches, batch by batch. */
import type { PatchFeatures, SegmentationFeatures } from '@franca/evals';
import { densePart, imagesOf } from '../features/collect';
import type { FeatureShard, PatchTokens } from '../features/compute-shard';
import type { OutputAlone } from '../features/output-alone';
import type { Weights } from '../features/weights';
import type { FeatureSession } from '../features/session';
import { imagesPerShard } from '../features/shard-files';
import { type CropDraw, cropMask, drawCrop } from '../image-sets/crops';
import { chosenOf, type ImageSet } from '../image-sets/image-set';
import type { PairSet } from '../image-sets/pair-set';
import { type DenseLook, describePreparation, type Preparation } from '../image-sets/preparation';
import type { SurveyedMasks } from '../image-sets/survey-masks';

/** One part of a data set, and how its pixels become input. */
export interface Part {
  readonly set: ImageSet;
  readonly preprocessing: string;
  /** Of the model, where they are not the session's: with other planes of RASA. */
  readonly weights?: Weights;
  /** Side of the input, where it is not the session's, or in words the grids of inputs of several sizes. */
  readonly size?: number | string;
  /** Tells the masks, where there are any. */
  readonly truth?: string;
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
  /** Shards in order, from the cache where it has them; may be iterated several times. */
  readonly batches: AsyncIterable<MaskedFeatures>;
  /** How many patch tokens, at most, and how wide they are. */
  readonly patches: number;
  readonly dim: number;
  /** How many shards, and one of them by its number; none where no picture of it can be read. */
  readonly shards: number;
  shard(number: number): Promise<MaskedFeatures | undefined>;
  /** Random crops of the images with these numbers, in their order, so many at a time; nothing is kept of them. */
  crops(images: ArrayLike<number>, draw: CropDraw, atOnce: number): AsyncIterable<MaskedFeatures>;
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
    readonly outputAlone: OutputAlone | undefined;
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
export function segmentationPart(
  session: FeatureSession,
  { set, masks, original, occurs, hash: truth }: SurveyedMasks,
  look: DenseLook = {},
): SegmentationPart {
  const { size, weights, model, shards, fresh } = session;
  const preparation: Preparation = { kind: 'squash', size, ...look };
  const masked = (shard: FeatureShard): MaskedFeatures => {
    const images = imagesOf(shard);
    return { ...densePart(shard, weights.rasa.planes), ...masks(images), images };
  };
  const batches = {
    async *[Symbol.asyncIterator](): AsyncGenerator<MaskedFeatures> {
      for await (const shard of shards(set, { preparation, patches: true })) yield masked(shard);
    },
  };
  const cut = async (index: number, draw: CropDraw): Promise<Uint8Array> => {
    const { picture, ...mask } = await original(index);
    return cropMask(mask, picture, drawCrop(draw, index, picture), size, look.nearest ?? 'centre');
  };
  return {
    set,
    preprocessing: describePreparation(preparation),
    patches: set.length * (size / model.config.patchSize) ** 2,
    dim: model.config.embedDim,
    occurs,
    truth,
    batches,
    shards: Math.ceil(set.length / imagesPerShard(session.extraction, { preparation, patches: true })),
    async shard(number) {
      for await (const shard of shards(set, { preparation, patches: true, shard: number })) return masked(shard);
      return undefined;
    },
    async *crops(images, draw, atOnce) {
      const request = { preparation: { kind: 'random-crop', size, draw, ...look }, patches: true } as const;
      for await (const shard of fresh(set, { ...request, images, perShard: atOnce }, `pass ${draw.pass + 1}`)) {
        const own = imagesOf(shard);
        const masks = new Uint8Array(own.length * size * size);
        for (const [i, index] of own.entries()) masks.set(await cut(index, draw), i * size * size);
        yield { ...densePart(shard, weights.rasa.planes), maskSize: [size, size], masks, images: own };
      }
    },
  };
}

/** Tokens of chosen pictures of pairs. RASA is for tokens after the final norm: before it nothing is taken away. */
export function pairPart({ size, weights, shards }: FeatureSession, pairs: PairSet): PairPart {
  const { patchSize, depth } = weights.config;
  const hasRasa = weights.rasa.folded !== undefined || weights.rasa.planes.length > 0;
  // the same choice is the same set at every size, so that a picture that cannot be read counts once
  const chosen = new Map<string, ImageSet>();
  return {
    pairs,
    model: { size, patchSize, depth, hasRasa, outputAlone: weights.outputAlone },
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
