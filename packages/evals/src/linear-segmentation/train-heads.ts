/** Trains linear segmentation heads together on the pixel cross-entropy: SGD, momentum 0.9, weight decay 1e-4. */
import type { EvalBackend, LinearClassifier, LinearHead } from '../backend/eval-backend';
import { EvalsError } from '../errors';
import { patchTokens } from '../features';
import { checkMask } from '../metrics/segmentation';
import type { Extent } from '../numerics/bilinear';
import { resizedMasks } from './segmentation-heads';
import type { EpochSource } from './train-images';

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
 * @throws EvalsError `features` when an epoch has no batch, or the patch grid changes; `labels` as `checkMask`
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
        checkMask(batch.masks, options);
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
