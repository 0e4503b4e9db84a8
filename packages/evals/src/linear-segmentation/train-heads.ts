/** Trains linear segmentation heads together on the pixel cross-entropy: SGD, momentum 0.9, weight decay 1e-4. */
import type {
  EvalBackend,
  LinearClassifier,
  LinearGridSession,
  LinearGridState,
  LinearHead,
} from '../backend/eval-backend';
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
  /** Receives the heads after each epoch, counted from 1, and how to save where their training stands. */
  readonly onEpoch?: (
    epoch: number,
    heads: readonly LinearClassifier[],
    save: () => Promise<LinearGridState>,
  ) => Promise<void>;
  /** Goes on after so many epochs, fewer than all, with what was saved then. */
  readonly from?: { readonly epoch: number; readonly grid: LinearGridState } | undefined;
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
  const { heads, classes, ignore, size, epochs, dropAfter, onEpoch, from } = options;
  let session: LinearGridSession | undefined;
  let grid: Extent | undefined;
  try {
    for (let epoch = from?.epoch ?? 0; epoch < epochs; epoch++) {
      for await (const batch of source(epoch)) {
        checkMask(batch.masks, options);
        grid ??= batch.grid;
        if (grid.join() !== batch.grid.join()) throw new EvalsError('features', 'batches with different patch grids');
        if (!session) {
          const shape = { inputs: batch.dim, classes, ignore, upsample: { from: grid, to: size } };
          session = backend.openLinearGrid({ ...shape, heads, momentum: 0.9, weightDecay: 1e-4 });
          if (from) session.load(from.grid);
        }
        await session.step(patchTokens(batch), resizedMasks(batch, size), epoch < dropAfter ? 1 : 0.1);
      }
      if (!session) throw new EvalsError('features', 'the train set is empty');
      const { save } = session;
      await onEpoch?.(epoch + 1, await session.heads(), save);
    }
    return (await session?.heads()) ?? [];
  } finally {
    session?.[Symbol.dispose]();
  }
}
