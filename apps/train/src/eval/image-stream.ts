/**
 * Images of one part as a stream: nothing of them is held but what is asked for.
 *
 * k-NN passes the CLS tokens shard by shard from the cache; the linear probe of the paper learns from random crops, which are drawn anew
 * for each pass over the images. Order and crop are functions of (seed, pass) and of (seed, pass, image): a run that is repeated sees the
 * same steps, whatever the batches.
 */
import { createRandom, permutation } from '@franca/data';
import type { LabelledFeatures, ProbeFeatures, ProbeShape } from '@franca/evals';
import { TrainError } from '../errors';
import { collectImages, type ImageFeatures, imagesOf, type KeptFeatures, shardFeatures } from '../features/collect';
import type { FeatureShard } from '../features/compute-shard';
import type { FeatureSession } from '../features/session';
import type { CropRecipe } from '../image-sets/crops';
import { chosenOf, type ImageSet } from '../image-sets/image-set';
import { describePreparation } from '../image-sets/preparation';
import { checkRoom, type ImageOptions, type ImageRequest, type Part, planImages } from './part';

/** Random crops of these images, so many a step. */
export interface CropSteps {
  readonly images: readonly number[];
  readonly recipe: CropRecipe;
  readonly seed: number;
  readonly batchSize: number;
}

export interface ImageStream extends Part {
  /** What crops look like. */
  readonly shape: ProbeShape;
  /** CLS tokens with labels, shard by shard, from the cache where it has them; may be iterated several times. */
  readonly batches: AsyncIterable<LabelledFeatures>;
  /** The images with these numbers, in memory. */
  take(images: readonly number[]): Promise<ImageFeatures>;
  /** Steps of exactly so many crops, endlessly; a last incomplete batch of a pass joins the next one. */
  crops(steps: CropSteps): AsyncIterable<ProbeFeatures>;
}

/** Nothing is computed before it is iterated. */
export function imageStream(
  session: FeatureSession,
  set: ImageSet,
  options: ImageOptions,
  asked: ImageRequest = {},
): ImageStream {
  const { weights, model, shards } = session;
  const { preparation, computed, kept } = planImages(session, options, asked);
  const { planes } = weights.rasa;
  const dim = model.config.embedDim;
  return {
    set,
    preprocessing: describePreparation(preparation),
    shape: { dim, ...kept },
    batches: {
      async *[Symbol.asyncIterator](): AsyncGenerator<LabelledFeatures> {
        for await (const shard of shards(set, { preparation, blocks: computed }))
          yield (await shardFeatures(shard, set, planes, { blocks: 1, patchMean: false })).labelled;
      },
    },
    take(images) {
      const chosen = chosenOf(set, images);
      checkRoom(chosen, { dim, tokens: kept.blocks + Number(kept.patchMean) }, asked.wayOut);
      return collectImages(
        shards(chosen, { preparation, blocks: computed, patchMean: kept.patchMean }),
        chosen,
        planes,
        kept,
      );
    },
    async *crops(steps) {
      const next = drawnImages(steps);
      while (true) {
        const step = cropShards(session, set, { next, kept, ...steps });
        yield (await collectImages(step, { label: set.label, length: steps.batchSize }, planes, kept)).probe;
      }
    },
  };
}

/** Some images that follow each other in one pass. */
interface Drawn {
  readonly pass: number;
  readonly images: readonly number[];
}

/** The next images, at most so many, in an order of its own for each pass. */
function drawnImages({ images, seed }: CropSteps): (limit: number) => Drawn {
  let pass = -1;
  let left: readonly number[] = [];
  return (limit) => {
    if (left.length === 0) {
      pass += 1;
      left = permutation(images.length, createRandom({ seed, position: pass, stream: 0 })).map((at) => images[at]!);
    }
    const drawn = left.slice(0, limit);
    left = left.slice(limit);
    return { pass, images: drawn };
  };
}

/** Crops of one step; for an image that cannot be read the next one is taken. */
async function* cropShards(
  { size, fresh }: FeatureSession,
  set: ImageSet,
  {
    next,
    kept,
    recipe,
    seed,
    batchSize,
    images,
  }: CropSteps & {
    readonly next: (limit: number) => Drawn;
    readonly kept: KeptFeatures;
  },
): AsyncGenerator<FeatureShard> {
  let rows = 0;
  let tried = 0;
  while (rows < batchSize) {
    const { pass, images: drawn } = next(batchSize - rows);
    const preparation = { kind: 'random-crop', size, draw: { recipe, seed, pass } } as const;
    for await (const shard of fresh(set, { preparation, ...kept, images: drawn, perShard: drawn.length })) {
      rows += imagesOf(shard).length;
      yield shard;
    }
    tried += drawn.length;
    if (rows === 0 && tried >= images.length)
      throw new TrainError('data', `none of the ${images.length} images of ${set.dataset} ${set.split} can be read`);
  }
}
