/** Trains linear segmentation heads together on the pixel cross-entropy: SGD, momentum 0.9, weight decay 1e-4. */
import type { EvalBackend, LinearClassifier, LinearHead } from '../backend/eval-backend';
import { EvalsError } from '../errors';
import { imageCount, patchTokens, type SegmentationFeatures } from '../features';
import type { Extent } from '../numerics/bilinear';
import { permutation, type Random } from '../numerics/random';
import { resizedMasks, takeImages } from './segmentation-heads';

/** The images of one epoch in batches, one per step. */
export type EpochSource = (epoch: number) => Iterable<SegmentationFeatures> | AsyncIterable<SegmentationFeatures>;

export interface TrainHeadsOptions {
  readonly heads: readonly LinearHead[];
  readonly classes: number;
  readonly ignore: number;
  /** Extent at which the pixel loss is taken. */
  readonly size: Extent;
  readonly epochs: number;
  /** After this many epochs the learning rate falls to a tenth. */
  readonly dropAfter: number;
  /** Receives the heads after each epoch, counted from 1. */
  readonly onEpoch?: (epoch: number, heads: readonly LinearClassifier[]) => Promise<void>;
}

/**
 * The trained heads.
 *
 * @throws EvalsError `features` when an epoch has no batch, or the patch grid changes.
 */
export async function trainHeads(
  backend: EvalBackend,
  source: EpochSource,
  options: TrainHeadsOptions,
): Promise<readonly LinearClassifier[]> {
  const { heads, classes, ignore, size, epochs, dropAfter, onEpoch } = options;
  let session: ReturnType<EvalBackend['openLinearGrid']> | undefined;
  let grid: Extent | undefined;
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      for await (const batch of source(epoch)) {
        grid ??= batch.grid;
        if (grid.join() !== batch.grid.join()) throw new EvalsError('features', 'batches with different patch grids');
        session ??= backend.openLinearGrid({
          inputs: batch.dim,
          classes,
          heads,
          momentum: 0.9,
          weightDecay: 1e-4,
          ignore,
          upsample: { from: grid, to: size },
        });
        await session.step(patchTokens(batch), resizedMasks(batch, size), epoch < dropAfter ? 1 : 0.1);
      }
      if (!session) throw new EvalsError('features', 'the train set is empty');
      await onEpoch?.(epoch + 1, await session.heads());
    }
    return (await session?.heads()) ?? [];
  } finally {
    session?.[Symbol.dispose]();
  }
}

/** Epochs over cached features: every image once, in a new order each time, the last batch possibly smaller. */
export function cachedEpochs(features: SegmentationFeatures, batchSize: number, draws: Random): EpochSource {
  return function* epoch() {
    const order = permutation(imageCount(features), draws);
    for (let i = 0; i < order.length; i += batchSize) yield takeImages(features, order.subarray(i, i + batchSize));
  };
}
