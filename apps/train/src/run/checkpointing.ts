/** Checkpoints of a run: when one is saved, how a run continues from one, which old ones go. */
import { type JsonValue, pruneRunCheckpoints, type RunCheckpoint, saveRunCheckpoint } from '@franca/checkpoint';
import type { LoaderCursor } from '@franca/data';
import { stateEntries } from '@franca/nn';
import { SAVED_GROUPS } from '@franca/pretraining';
import type { State } from '@franca/tensor';
import type { DerivedOptions } from '../config/derived-options';
import { configMetadata } from '../features/config-of-file';
import { programCommand } from '../text/program';
import { type Ingredients, STATE_VERSION } from './saved-state';
import { loadGroup } from './state-io';

/** Where a run stands after a whole update: a micro-step of one that is not complete is drawn again. */
export interface Position {
  /** Updates done. */
  readonly step: number;
  /** Where the data go on; undefined before the first update. */
  readonly cursor: LoaderCursor | undefined;
  readonly imagesSeen: number;
}

/** Puts a checkpoint's tensors into the state. @throws TrainError `config` where it is of another model */
export async function restore(checkpoint: RunCheckpoint, state: State): Promise<void> {
  for (const group of SAVED_GROUPS) await loadGroup(checkpoint, state, group);
}

export interface Checkpoints {
  /** Saves, unless the position is saved already, and removes old checkpoints. */
  save(position: Position, secondsSpent: number): Promise<void>;
  /** The command that goes on from the newest checkpoint. */
  howToContinue(): string;
}

export interface CheckpointsOptions {
  readonly options: Pick<DerivedOptions, 'loop' | 'vit'>;
  readonly made: Ingredients;
  /** The step that is saved already: that of the checkpoint the run continues, or 0. */
  readonly savedAt: number;
}

export function createCheckpoints(
  out: string,
  state: State,
  { options: { vit, loop }, made, savedAt: first }: CheckpointsOptions,
): Checkpoints {
  const { keepLast, keepEvery } = loop.checkpoint;
  let savedAt = first;
  const { train, val, classes, world } = made.data;
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
          made: {
            config: made.config as { [key: string]: JsonValue },
            precision: made.precision,
            ...(made.memory ? { memory: { ...made.memory } } : {}),
            data: { train: { ...train }, val: { ...val }, classes: { ...classes }, world },
          },
        },
        stateVersion: STATE_VERSION,
        tensors: Object.fromEntries(SAVED_GROUPS.map((group) => [group, stateEntries(state, group)])),
        metadata: configMetadata({ config: vit, assumed: [] }),
      });
      savedAt = step;
      await pruneRunCheckpoints(out, { last: keepLast, ...(keepEvery ? { every: keepEvery } : {}) });
    },
    howToContinue: () =>
      savedAt > 0
        ? `continue after step ${savedAt} with: ${programCommand(['pretrain', '--resume', '--out', out])}`
        : `there is no checkpoint yet; start again with: ${programCommand(['pretrain', '--resume', 'auto', '--out', out])}`,
  };
}
