/**
 * From a source to batches of decoded images: sample, read and decode ahead, skip what cannot be used.
 *
 * Everything that decides which images a batch holds happens in the order of the draws, never in the order of completion. A
 * batch carries the cursor that continues right after it, whatever was already loaded beyond it, so a run resumed from a
 * checkpoint sees exactly the images that it would have seen.
 */

import { availableParallelism } from 'node:os';
import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkCount, checkOptions } from '../errors';
import { checkDecoding, type DecodeOptions, readImage } from '../images/decode';
import type { PixelImage } from '../images/image';
import { checkSource, type ImageSource } from '../images/image-source';
import { prefetch } from '../prefetch';
import {
  BAD_IMAGE_POLICY,
  type BadImage,
  type BadImageCounts,
  type BadImagePolicy,
  createBadImageLog,
} from './bad-images';
import { createSampler, type Draw, type Sampler, type SamplerState } from './sampler';

export interface LoaderOptions {
  /** Images per batch of this process. */
  readonly batchSize: number;
  /** Seed of the order, an integer in `[0, 2^53)`. */
  readonly seed: number;
  /** This process among `world`. Default 0 of 1. */
  readonly rank?: number;
  readonly world?: number;
  /** How far apart neighbours in the order may come from, for sources that are read in runs. See `SamplerOptions`. */
  readonly window?: number;
  /** Continues after the batch that carried this cursor. */
  readonly from?: LoaderCursor | undefined;
  /** Images read and decoded at once. Default twice the cores. */
  readonly inFlight?: number;
  /** Decoded images that may wait beyond the current batch. Default one batch. */
  readonly ahead?: number;
  readonly decode?: DecodeOptions;
  readonly badImages?: BadImagePolicy;
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: OptionKinds<LoaderOptions> = {
  batchSize: 'number',
  seed: 'number',
  rank: 'number',
  world: 'number',
  window: 'number',
  from: 'object',
  inFlight: 'number',
  ahead: 'number',
  decode: 'object',
  badImages: 'object',
  signal: 'object',
};

/** Exact position of a loader: small plain JSON. */
export interface LoaderCursor {
  readonly sampler: SamplerState;
  readonly badImages: BadImageCounts;
}

const CURSOR: OptionKinds<LoaderCursor> = { sampler: 'object', badImages: 'object' };

/** One image of a batch. */
export interface LoadedImage extends Draw {
  readonly key: string;
  readonly label: number | undefined;
  readonly image: PixelImage;
}

/** Decoded images in the order of the draws. */
export interface LoadedBatch {
  /** Exactly `batchSize` of them. */
  readonly images: readonly LoadedImage[];
  /** Continue from here to get the next batch. */
  readonly cursor: LoaderCursor;
  /** Time this batch kept the consumer waiting, in milliseconds. */
  readonly waitMs: number;
  /** Images that were skipped while this batch was filled. */
  readonly skipped: readonly BadImage[];
}

interface Loaded {
  readonly draw: Draw;
  readonly state: SamplerState;
  readonly image?: PixelImage;
  readonly error?: unknown;
}

/**
 * Endless batches from a source. Leave the loop, or abort, to end it; loads in flight are stopped and waited for.
 * @throws DataError too-many-bad-images above the policy's share; cursor-mismatch for a cursor of another run; what the
 *   source throws for anything that is not about one image
 */
export async function* loadBatches(source: ImageSource, options: LoaderOptions): AsyncGenerator<LoadedBatch, never> {
  checkCall(source, options);
  const { batchSize, seed, rank = 0, world = 1, from, decode, signal } = options;
  const window = options.window === undefined ? {} : { window: options.window };
  const sampling = { length: source.length, seed, rank, world, runs: source.runs, ...window };
  const sampler = createSampler(sampling, from?.sampler);
  const skippedNow: BadImage[] = [];
  const log = createBadImageLog(
    {
      ...options.badImages,
      onBad: (image) => {
        skippedNow.push(image);
        options.badImages?.onBad?.(image);
      },
    },
    from?.badImages,
  );

  const load = async ({ draw, state }: Drawn, stop: AbortSignal): Promise<Loaded> => {
    try {
      return { draw, state, image: await readImage(source, draw.index, decode, stop) };
    } catch (error) {
      if (stop.aborted) throw error;
      return { draw, state, error };
    }
  };
  const loaded = prefetch(draws(sampler), load, {
    inFlight: options.inFlight ?? 2 * availableParallelism(),
    ahead: options.ahead ?? batchSize,
    signal,
  });
  try {
    for (;;) yield await nextBatch();
  } finally {
    await loaded.return();
  }

  async function nextBatch(): Promise<LoadedBatch> {
    const images: LoadedImage[] = [];
    const start = performance.now();
    let state = sampler.state();
    while (images.length < batchSize) {
      const { value } = await loaded.next();
      // The draws never end, so a finished generator is an aborted one.
      if (!value) throw signal?.reason;
      state = value.state;
      const key = source.key(value.draw.index);
      if (value.image) {
        log.good();
        images.push({ ...value.draw, key, label: source.label?.(value.draw.index), image: value.image });
      } else log.bad(key, value.error);
    }
    const waitMs = performance.now() - start;
    const cursor = { sampler: state, badImages: log.counts() };
    return { images, cursor, waitMs, skipped: skippedNow.splice(0) };
  }
}

function checkCall(source: ImageSource, options: LoaderOptions): void {
  checkSource('loadBatches', source);
  checkOptions('loadBatches', options, OPTIONS);
  const { batchSize, inFlight, ahead, decode, badImages, from } = options;
  checkCount('loadBatches', 'batchSize', batchSize, 1);
  if (inFlight !== undefined) checkCount('loadBatches', 'inFlight', inFlight, 1);
  if (ahead !== undefined) checkCount('loadBatches', 'ahead', ahead, 0);
  if (decode) checkDecoding('loadBatches: decode', decode);
  if (badImages) checkOptions('loadBatches: badImages', badImages, BAD_IMAGE_POLICY);
  if (from) checkOptions('loadBatches: from', from, CURSOR);
  if (from) checkArgument('loadBatches: from', 'sampler', from.sampler, 'object');
}

interface Drawn {
  readonly draw: Draw;
  /** State right after this draw. */
  readonly state: SamplerState;
}

function* draws(sampler: Sampler): Generator<Drawn, never> {
  for (;;) yield { draw: sampler.next(), state: sampler.state() };
}
