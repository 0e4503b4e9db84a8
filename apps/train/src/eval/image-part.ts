/**
 * Images of one part of a data set. Their features lie on disk and are read as they are needed, in order or by row; `heldImages` is for evaluations that need all
 * of them in memory. The linear probe of the paper learns from random crops, which are drawn anew for each pass over the images and of which nothing is kept: order
 * and crop are functions of (seed, pass) and of (seed, pass, image), so that a run that is repeated sees the same steps, whatever the batches.
 */
import { totalmem } from 'node:os';
import { createRandom, permutation } from '@franca/data';
import {
  inMemory,
  type Json,
  type LabelledFeatures,
  type ProbeFeatures,
  type ProbeShape,
  type StoredProbeFeatures,
  type StreamedBatch,
} from '@franca/evals';
import { removePlanes } from '@franca/rasa';
import { TrainError } from '../errors';
import { imagesOf, type KeptFeatures, shardFeatures } from '../features/collect';
import type { FeatureShard } from '../features/compute-shard';
import type { FeatureSession } from '../features/session';
import type { CropRecipe } from '../image-sets/crops';
import { chosenOf, type ImageSet } from '../image-sets/image-set';
import { centreCrop, describePreparation, type Preparation } from '../image-sets/preparation';
import { amountOfBytes } from '../text/amounts';
import type { Part } from './part';

/** Features of single images on disk, of those that could be read. */
export interface ImageFeatures {
  /** Numbers of the images in their set, in the order of the rows [n]. */
  readonly images: Int32Array;
  /** All that was asked for of each image, with the labels that the set gives now. */
  readonly probe: StoredProbeFeatures;
  /** CLS tokens of the last block with labels, some thousand at a time; may be iterated several times. */
  readonly batches: AsyncIterable<LabelledFeatures>;
}

/** The same in memory. */
export interface HeldImages {
  readonly images: Int32Array;
  /** CLS tokens of the last block. */
  readonly labelled: LabelledFeatures;
  readonly probe: ProbeFeatures;
}

/** Random crops of these images, so many a step. */
export interface CropSteps {
  readonly images: ArrayLike<number>;
  readonly recipe: CropRecipe;
  readonly seed: number;
  readonly batchSize: number;
}

export interface ImagePart extends Part {
  /** What features and crops look like. */
  readonly shape: ProbeShape;
  /** Computes those that the cache does not have, once. */
  features(): Promise<ImageFeatures>;
  /** The images with these numbers. */
  take(images: ArrayLike<number>): ImagePart;
  /** Steps of exactly so many crops, endlessly; a last incomplete batch of a pass joins the next one. `from`: the place that came with the step to go on after. */
  crops(steps: CropSteps, from?: Json): AsyncIterable<StreamedBatch>;
}

export interface ImageOptions {
  /** CLS tokens of so many last blocks are computed, as far as the model has them; default 1. */
  readonly blocks?: number;
  /** Shorter side before the centre is cut out; default 8/7 of the input. */
  readonly resize?: number;
}

/** What a task asks of images, where that is not the usual: nothing else is read of them. */
export interface ImageRequest {
  /** CLS tokens of so many last blocks, as far as the model has them; default 1. */
  readonly blocks?: number | undefined;
  /** Mean patch tokens; default whether there are any: a model, or a file of features, may have none. */
  readonly patchMean?: boolean | undefined;
  /** Shorter side before the centre is cut out; default that of the context. */
  readonly resize?: number | undefined;
}

/** A request with all that is computed for it. */
interface PlannedImages {
  readonly preparation: Preparation;
  /** Blocks that are computed: as many as one of the tasks reads, so that all of them share one run of the model. */
  readonly computed: number;
  readonly kept: KeptFeatures;
}

function planImages(
  { size, model, weights }: Pick<FeatureSession, 'size' | 'model' | 'weights'>,
  options: ImageOptions,
  { blocks = 1, patchMean = weights.outputAlone?.hasPatchMean ?? true, resize = options.resize }: ImageRequest,
): PlannedImages {
  const deep = (count: number): number => Math.min(count, model.config.depth);
  return {
    preparation: { ...centreCrop(size), ...(resize ? { resize } : {}) },
    computed: deep(Math.max(blocks, options.blocks ?? 1)),
    kept: { blocks: deep(blocks), patchMean },
  };
}

/** Nothing is computed before it is asked for. */
export function imagePart(
  session: FeatureSession,
  set: ImageSet,
  options: ImageOptions,
  asked: ImageRequest = {},
): ImagePart {
  const plan = planImages(session, options, asked);
  const { planes } = session.weights.rasa;
  let features: Promise<ImageFeatures> | undefined;
  return {
    set,
    preprocessing: describePreparation(plan.preparation),
    shape: { dim: session.model.config.embedDim, ...plan.kept },
    features() {
      features ??= openFeatures(session, set, plan);
      return features;
    },
    take: (images) => imagePart(session, chosenOf(set, images), options, asked),
    async *crops(steps, from) {
      const next = drawnImages(steps, from);
      while (true) {
        const shards: FeatureShard[] = [];
        for await (const shard of cropShards(session, set, { next, kept: plan.kept, ...steps })) shards.push(shard);
        yield { ...shardFeatures(shards, set, planes, plan.kept), place: next.place() };
      }
    },
  };
}

async function openFeatures(
  session: FeatureSession,
  set: ImageSet,
  { preparation, computed, kept }: PlannedImages,
): Promise<ImageFeatures> {
  const { planes } = session.weights.rasa;
  if (computed > kept.blocks) await session.stored(set, { preparation, blocks: computed, patchMean: true });
  const stored = await session.stored(set, { preparation, ...kept });
  const { dim, images } = stored;
  const labels = images.map((index) => set.label(index));
  const probe: StoredProbeFeatures = {
    ...{ dim, ...kept, labels },
    async read(begin, end) {
      const { blocks, patchMean } = await stored.read(begin, end);
      if (patchMean) removePlanes(patchMean, dim, planes);
      return { dim, blocks, ...(patchMean && { patchMean }), labels: labels.subarray(begin, end) };
    },
  };
  return { images, probe, batches: labelledBatches(probe) };
}

/** Images of a batch: a multiple of what every backend takes at a time, so that the batches leave no trace in sums. */
const BATCH = 4096;

/** CLS tokens of the last block, batch by batch; may be iterated several times. */
export const labelledBatches = (features: StoredProbeFeatures): AsyncIterable<LabelledFeatures> => ({
  async *[Symbol.asyncIterator]() {
    const { length } = features.labels;
    for (let begin = 0; begin < length; begin += BATCH) {
      const { dim, blocks, labels } = await features.read(begin, Math.min(begin + BATCH, length));
      yield { dim, cls: blocks.at(-1)!, labels };
    }
  },
});

/**
 * Features of all images in memory, for what needs them there.
 * @param wayOut what else one can do where they do not fit
 * @throws TrainError `data` before anything is computed where they would not fit
 */
export async function heldImages(part: ImagePart, wayOut?: string): Promise<HeldImages> {
  const { dim, blocks, patchMean } = part.shape;
  checkRoom(part.set, { dim, tokens: blocks + Number(patchMean) }, wayOut);
  const { images, probe: stored } = await part.features();
  const probe = await inMemory(stored);
  return { images, probe, labelled: { dim: probe.dim, cls: probe.blocks.at(-1)!, labels: probe.labels } };
}

/** What features may take of the machine's memory, and the longest array that there can be. */
const MEMORY_SHARE = 0.75;
const LONGEST_ARRAY = 2 ** 32 - 1;

/** @throws TrainError `data` where features of all images of a set would not fit */
export function checkRoom(
  { dataset, split, length }: Pick<ImageSet, 'dataset' | 'split' | 'length'>,
  { dim, tokens }: { readonly dim: number; readonly tokens: number },
  wayOut?: string,
  memory: number = totalmem(),
): void {
  const bytes = 4 * length * tokens * dim;
  const reason =
    bytes > MEMORY_SHARE * memory
      ? `of the ${amountOfBytes(memory)} of this machine ${100 * MEMORY_SHARE} % may be taken`
      : length * dim > LONGEST_ARRAY
        ? `an array has at most ${LONGEST_ARRAY} numbers`
        : undefined;
  if (reason === undefined) return;
  throw new TrainError(
    'data',
    `features of ${dataset} ${split} do not fit in memory: ${length} images x ${tokens} tokens x ${dim} numbers are ` +
      `${amountOfBytes(bytes)}, ${reason}; take fewer images with --images <train,test>${wayOut ? `, or ${wayOut}` : ''}`,
  );
}

/** The next images, at most so many, in an order of its own for each pass. */
interface Draws {
  (limit: number): { readonly pass: number; readonly images: Int32Array };
  /** Where they stand. */
  place(): Json;
}

/** @throws TrainError `run` for a place that is none */
function drawnImages({ images, seed }: CropSteps, from: Json = { pass: 0, drawn: 0 }): Draws {
  let { pass, drawn } = from as { pass: number; drawn: number };
  if (!Number.isSafeInteger(pass) || !Number.isSafeInteger(drawn))
    throw new TrainError('run', `${JSON.stringify(from)} is no place among crops; delete the saved progress`);
  const orderOf = (at: number): Int32Array =>
    Int32Array.from(permutation(images.length, createRandom({ seed, position: at, stream: 0 })));
  let order = orderOf(pass);
  const draw = (limit: number) => {
    if (drawn === order.length) {
      pass += 1;
      drawn = 0;
      order = orderOf(pass);
    }
    const own = order.subarray(drawn, drawn + limit).map((at) => images[at]!);
    drawn += own.length;
    return { pass, images: own };
  };
  return Object.assign(draw, { place: () => ({ pass, drawn }) });
}

/** Crops of one step; for an image that cannot be read the next one is taken. */
async function* cropShards(
  { size, fresh }: FeatureSession,
  set: ImageSet,
  { next, kept, recipe, seed, batchSize, images }: CropSteps & { readonly next: Draws; readonly kept: KeptFeatures },
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
