/** Checkpoints of a run: when one is saved, how a run continues from one, which old ones go. */
import { type JsonValue, pruneRunCheckpoints, type RunCheckpoint, saveRunCheckpoint } from '@franca/checkpoint';
import type { Communicator } from '@franca/collective';
import type { BadImageCounts, LoaderCursor, SamplerState } from '@franca/data';
import { stateEntries } from '@franca/nn';
import { SAVED_GROUPS } from '@franca/pretraining';
import type { State } from '@franca/tensor';
import type { DerivedOptions } from '../config/derived-options';
import { configMetadata } from '../features/config-of-file';
import { launchedCommand } from '../ranks/launched-command';
import { onFirst } from '../ranks/together';
import { badImagesOfAll } from './bad-images-of-all';
import { compareWeights } from './compare-weights';
import { explainFullDisk } from './full-disk';
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
  /**
   * Saves, unless the position is saved already, and removes old checkpoints. Called by all ranks: they compare their weights, and rank 0 writes. Throws TrainError
   * `run` where a rank has drifted; then nothing is written.
   */
  save(position: Position, secondsSpent: number): Promise<void>;
  /** The command that goes on from the newest checkpoint. */
  howToContinue(): string;
}

export interface CheckpointsOptions {
  readonly ranks: Communicator;
  readonly options: Pick<DerivedOptions, 'loop' | 'vit'>;
  readonly made: Ingredients;
  /** The step that is saved already: that of the checkpoint the run continues, or 0. */
  readonly savedAt: number;
}

/** A place in the data as fresh records. */
const plainPlace = ({ data, ...place }: SamplerState) => ({
  ...place,
  ...(data ? { data: { ...data, stretches: data.stretches.map((each) => ({ ...each })) } } : {}),
});

export function createCheckpoints(
  out: string,
  state: State,
  { ranks, options: { vit, loop }, made, savedAt: first }: CheckpointsOptions,
): Checkpoints {
  const { keepLast, keepEvery } = loop.checkpoint;
  let savedAt = first;
  const { train, val, classes, world } = made.data;
  const write = async ({ step, cursor, imagesSeen }: Position, badImages: BadImageCounts, secondsSpent: number) => {
    await saveRunCheckpoint(out, {
      step,
      // spread, as only fresh records are known to hold plain JSON
      state: {
        cursor: { sampler: plainPlace(cursor!.sampler), badImages: { ...badImages } },
        imagesSeen,
        secondsSpent,
        made: {
          config: made.config as { [key: string]: JsonValue },
          precision: made.precision,
          ...(made.memory ? { memory: { ...made.memory } } : {}),
          data: { train: { ...train }, val: { ...val }, classes: { ...classes }, world },
          ...(made.ranks ? { ranks: made.ranks } : {}),
          ...(made.teacher ? { teacher: { ...made.teacher } } : {}),
        },
      },
      stateVersion: STATE_VERSION,
      tensors: Object.fromEntries(SAVED_GROUPS.map((group) => [group, stateEntries(state, group)])),
      metadata: configMetadata({ config: vit, assumed: [] }),
    });
    await pruneRunCheckpoints(out, { last: keepLast, ...(keepEvery ? { every: keepEvery } : {}) });
  };
  const again = (...words: string[]) => launchedCommand(ranks.size, ['pretrain', ...words, '--out', out]);
  return {
    async save(position, secondsSpent) {
      const { step, cursor } = position;
      if (!cursor || step === savedAt) return;
      await compareWeights(ranks, state, `after step ${step}`);
      const badImages = await badImagesOfAll(ranks, cursor);
      await onFirst(ranks, () =>
        write(position, badImages, secondsSpent).catch((error) => Promise.reject(explainFullDisk(error, out))),
      );
      savedAt = step;
    },
    howToContinue: () =>
      savedAt > 0
        ? `continue after step ${savedAt} with: ${again('--resume')}`
        : `there is no checkpoint yet; start again with: ${again('--resume', 'auto')}`,
  };
}
