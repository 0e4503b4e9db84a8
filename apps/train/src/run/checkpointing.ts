/** Checkpoints of a run: what they hold beside tensors, how a run continues from one, which old ones go. */
import { pruneRunCheckpoints, type RunCheckpoint, saveRunCheckpoint } from '@franca/checkpoint';
import type { LoaderCursor } from '@franca/data';
import { SAVED_GROUPS } from '@franca/pretraining';
import type { State } from '@franca/tensor';
import { z } from 'zod';
import type { DerivedOptions } from '../config/derived-options';
import { TrainError } from '../errors';
import { configMetadata } from '../features/config-of-file';
import { entriesOfGroup, loadGroup } from './state-io';

/** Where a run stands after a whole update: a micro-step of one that is not complete is drawn again. */
export interface Position {
  /** Updates done. */
  readonly step: number;
  /** Where the data go on; undefined before the first update. */
  readonly cursor: LoaderCursor | undefined;
  readonly imagesSeen: number;
}

/** What a checkpoint holds beside tensors. */
export interface SavedState {
  readonly cursor: LoaderCursor;
  readonly imagesSeen: number;
  /** Of training, in all parts of the run. */
  readonly secondsSpent: number;
}

const STATE_VERSION = 1;

const count = () => z.number().int().nonnegative();
const savedState: z.ZodType<SavedState> = z.object({
  cursor: z.object({
    sampler: z.object({ length: count(), seed: count(), rank: count(), world: count(), drawn: count() }),
    badImages: z.object({ seen: count(), bad: count() }),
  }),
  imagesSeen: count(),
  secondsSpent: z.number().nonnegative(),
});

/** Reads what `saveRunCheckpoint` was given. @throws TrainError `run` where it is something else */
export function parseSavedState(value: unknown, path: string): SavedState {
  const { success, data, error } = savedState.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  throw new TrainError(
    'run',
    `${path} does not say where the run stands (${issue!.path.join('.')}: ${issue!.message}); move it away to resume from an earlier checkpoint`,
  );
}

/** Puts a checkpoint's tensors into the state and says where the run stands. @throws TrainError `config` where it is of another model, `run` */
export async function restore(checkpoint: RunCheckpoint, state: State): Promise<Position & SavedState> {
  const saved = checkpoint.state(STATE_VERSION, (value) => parseSavedState(value, checkpoint.path));
  for (const group of SAVED_GROUPS) await loadGroup(checkpoint, state, group);
  return { ...saved, step: checkpoint.step };
}

export interface Checkpoints {
  /** Saves, unless the position is saved already, and removes old checkpoints. */
  save(position: Position, secondsSpent: number): Promise<void>;
  /** The command that goes on from the newest checkpoint. */
  howToContinue(): string;
}

/** @param first the position that is saved already: that of the checkpoint the run continues, or 0 */
export function createCheckpoints(
  out: string,
  state: State,
  { vit, loop }: Pick<DerivedOptions, 'vit' | 'loop'>,
  first: number,
): Checkpoints {
  const { keepLast, keepEvery } = loop.checkpoint;
  let savedAt = first;
  return {
    async save({ step, cursor, imagesSeen }, secondsSpent) {
      if (!cursor || step === savedAt) return;
      await saveRunCheckpoint(out, {
        step,
        // spread, as only fresh records are known to hold plain JSON
        state: {
          cursor: { sampler: { ...cursor.sampler }, badImages: { ...cursor.badImages } },
          imagesSeen,
          secondsSpent,
        },
        stateVersion: STATE_VERSION,
        tensors: Object.fromEntries(SAVED_GROUPS.map((group) => [group, entriesOfGroup(state, group)])),
        metadata: configMetadata({ config: vit, assumed: [] }),
      });
      savedAt = step;
      await pruneRunCheckpoints(out, { last: keepLast, ...(keepEvery ? { every: keepEvery } : {}) });
    },
    howToContinue: () =>
      savedAt > 0
        ? `continue after step ${savedAt} with: franca-train pretrain --resume --out ${out}`
        : `there is no checkpoint yet; start again with: franca-train pretrain --resume auto --out ${out}`,
  };
}
