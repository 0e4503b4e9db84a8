/**
 * The memory of in-context segmentation as it streams by: batch by batch the unit tokens of the train patches that are
 * kept, and where the stream stands. Of what has passed only the soft labels stay.
 */
import { SEGMENTATION } from '../check-features';
import { checkOption } from '../errors';
import { type Batched, batches, imageCount, maskOf, patchTokens, type SegmentationFeatures } from '../features';
import { type Matrix, normaliseRows, rowRange, takeRows } from '../matrix';
import { checkMask } from '../metrics/segmentation';
import { random } from '../numerics/random';
import { readAhead } from '../read-ahead';
import type { LabelMemoryBuilder } from './label-memory';
import { patchLabels } from './patch-labels';
import { samplePatches } from './sample-patches';

/** A batch of train images, and how to go on after it: a number that only its source has to understand. */
export interface PlacedFeatures extends SegmentationFeatures {
  readonly next: number;
}

/**
 * Train images: at once, in batches, or made from a place on (0, or the `next` of a batch), which spares a search that
 * goes on what was costly to make, such as features of random crops.
 */
export type InContextTrain = Batched<SegmentationFeatures> | ((from: number) => AsyncIterable<PlacedFeatures>);

/** Where the stream stands after a batch: where its source goes on, images that came, and numbers that were drawn. */
export interface MemoryPlace {
  readonly next: number;
  readonly images: number;
  readonly draws: number;
}

export interface MemoryBatch {
  /** Kept unit tokens of each image `[kept, D]`. */
  readonly images: readonly Matrix[];
  readonly place: MemoryPlace;
}

/** What is kept of the patches, and what masks mean. */
export interface MemoryOptions {
  readonly classes: number;
  readonly ignore?: number | undefined;
  readonly memory?: { readonly patches: number; readonly images: number } | undefined;
  readonly seed?: number | undefined;
}

/** The batches after `place`; their labels are added to `labels` when they are asked for. */
export async function* memoryBatches(
  train: InContextTrain,
  options: MemoryOptions,
  labels: LabelMemoryBuilder,
  place: MemoryPlace,
): AsyncGenerator<MemoryBatch> {
  const { classes, ignore = 255, memory, seed = 0 } = options;
  checkOption(
    memory === undefined || (memory.patches >= 1 && memory.images >= 1),
    `memory is { patches: ${memory?.patches}, images: ${memory?.images} }; both must be at least 1`,
  );
  const keep = memory ? Math.max(1, Math.floor(memory.patches / memory.images)) : Number.POSITIVE_INFINITY;
  const draws = random(seed);
  for (let drawn = 0; drawn < place.draws; drawn++) draws.uniform();
  let { images: count, draws: drawn } = place;
  for await (const batch of readAhead(placed(train, place.next))) {
    checkMask(batch.masks, { classes, ignore });
    const { grid, maskSize } = batch;
    const cells = grid[0] * grid[1];
    const tokens = normaliseRows(patchTokens(batch));
    const images = Array.from({ length: imageCount(batch) }, (_, i) => {
      const soft = patchLabels(maskOf(batch, i), { grid, maskSize, classes, ignore });
      const image = rowRange(tokens, i * cells, (i + 1) * cells);
      const kept = samplePatches(soft, classes, keep, draws);
      labels.add(soft, kept);
      return kept.length === cells ? image : takeRows(image, kept);
    });
    count += images.length;
    drawn += images.length * cells;
    yield { images, place: { next: batch.next, images: count, draws: drawn } };
  }
}

/** The batches after a place; of those that lie there, the first so many images are passed over. */
async function* placed(train: InContextTrain, from: number): AsyncGenerator<PlacedFeatures> {
  if (typeof train === 'function') {
    yield* train(from);
    return;
  }
  let next = 0;
  for await (const batch of batches('inContextSegmentation: train', train, SEGMENTATION)) {
    next += imageCount(batch);
    if (next > from) yield { ...batch, next };
  }
}
