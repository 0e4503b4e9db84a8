/**
 * From a source to batches of decoded images: sample, read and decode ahead, replace what cannot be used.
 *
 * `world` processes that load `b` images each share one sequence in contiguous blocks: in batch `k` process `rank` takes the
 * ordinals `k world b + rank b .. + b - 1`. So the blocks of all processes, one after the other, are the batch that a single
 * process would load, however many share it; and which image an ordinal gives depends on the ordinal alone.
 *
 * Nothing depends on the order of completion. A batch carries the cursor that continues right after it, whatever was already
 * loaded beyond it, so a run resumed from a checkpoint, by any number of processes, sees exactly the images that it would have seen.
 */

import { availableParallelism } from 'node:os';
import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkCount, checkOptions, DataError } from '../errors';
import { checkDecoding, type DecodeOptions } from '../images/decode';
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
import { createSampler, type Draw, type SamplerState } from './sampler';
import { findUsable, type Place } from './usable-image';

export interface LoaderOptions {
  /** Images per batch of this process. */
  readonly batchSize: number;
  /** Seed of the order, an integer in `[0, 2^53)`. */
  readonly seed: number;
  /** This process among `world`, all with the same other options. Default 0 of 1. */
  readonly rank?: number;
  readonly world?: number;
  /** How far apart neighbours in the order may come from, for sources that are read in runs. Default that of the source. See `SamplerOptions`. */
  readonly window?: number;
  /** Continues after the batch that carried this cursor, on whichever process, with whatever number of them. */
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
  /** The same on all processes. */
  readonly sampler: SamplerState;
  /** Of this process, beside those that it started from. */
  readonly badImages: BadImageCounts;
}

const CURSOR: OptionKinds<LoaderCursor> = { sampler: 'object', badImages: 'object' };

/** One image of a batch; `index` is that of a stand-in where the image of the ordinal itself cannot be used. */
export interface LoadedImage extends Draw {
  readonly key: string;
  readonly label: number | undefined;
  readonly image: PixelImage;
}

/** Decoded images in the order of their ordinals. */
export interface LoadedBatch {
  /** Exactly `batchSize` of them. */
  readonly images: readonly LoadedImage[];
  /** Continue from here to get the next batch. */
  readonly cursor: LoaderCursor;
  /** Time this batch kept the consumer waiting, in milliseconds. */
  readonly waitMs: number;
  /** Images that others stand in for in this batch. */
  readonly skipped: readonly BadImage[];
}

/**
 * Endless batches from a source. Leave the loop, or abort, to end it; loads in flight are stopped and waited for.
 * @throws DataError too-many-bad-images above the policy's share, or where a whole pass holds no usable image; cursor-mismatch
 *   for a cursor of another run; what the source throws for anything that is not about one image
 */
export async function* loadBatches(source: ImageSource, options: LoaderOptions): AsyncGenerator<LoadedBatch, never> {
  checkCall(source, options);
  const { batchSize, seed, rank = 0, world = 1, from, decode, signal } = options;
  const { length, runs, fingerprint } = source;
  const window = options.window ?? source.window;
  const sampler = createSampler({ length, seed, runs, window, data: fingerprint }, from?.sampler);
  let { drawn } = sampler.state();
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

  const find = (place: Place, stop: AbortSignal | undefined) => findUsable(source, sampler, place, decode, stop);
  const found = prefetch(places(drawn, batchSize, rank, world), find, {
    inFlight: options.inFlight ?? 2 * availableParallelism(),
    ahead: options.ahead ?? batchSize,
    signal,
  });
  try {
    for (;;) yield await nextBatch();
  } finally {
    await found.return();
  }

  async function nextBatch(): Promise<LoadedBatch> {
    const images: LoadedImage[] = [];
    const start = performance.now();
    while (images.length < batchSize) images.push(await nextImage());
    const waitMs = performance.now() - start;
    drawn += world * batchSize;
    const cursor = { sampler: sampler.state(drawn), badImages: log.counts() };
    return { images, cursor, waitMs, skipped: skippedNow.splice(0) };
  }

  async function nextImage(): Promise<LoadedImage> {
    for (let { value } = await found.next(); value; value = await find(value.next, signal)) {
      for (const { key, error } of value.unusable) log.bad(key, error);
      if (value.usable) {
        log.good();
        const { draw, image } = value.usable;
        return { ...draw, key: source.key(draw.index), label: source.label?.(draw.index), image };
      }
      if (value.next.attempt === source.length) throw log.noneLeft();
    }
    // The places never end, so a finished generator is an aborted one.
    throw signal?.reason;
  }
}

/** The places of one process, block by block. */
function* places(first: number, batchSize: number, rank: number, world: number): Generator<Place, never> {
  for (let block = first + rank * batchSize; ; block += world * batchSize)
    for (let place = 0; place < batchSize; place++) yield { ordinal: block + place, attempt: 0 };
}

function checkCall(source: ImageSource, options: LoaderOptions): void {
  checkSource('loadBatches', source);
  checkOptions('loadBatches', options, OPTIONS);
  const { batchSize, rank = 0, world = 1, inFlight, ahead, decode, badImages, from } = options;
  checkCount('loadBatches', 'batchSize', batchSize, 1);
  checkCount('loadBatches', 'world', world, 1);
  checkCount('loadBatches', 'rank', rank, 0);
  if (rank >= world) throw new DataError('argument', `loadBatches: rank ${rank} of ${world}; ranks count from 0`);
  if (inFlight !== undefined) checkCount('loadBatches', 'inFlight', inFlight, 1);
  if (ahead !== undefined) checkCount('loadBatches', 'ahead', ahead, 0);
  if (decode) checkDecoding('loadBatches: decode', decode);
  if (badImages) checkOptions('loadBatches: badImages', badImages, BAD_IMAGE_POLICY);
  if (from) checkOptions('loadBatches: from', from, CURSOR);
  if (from) checkArgument('loadBatches: from', 'sampler', from.sampler, 'object');
}
