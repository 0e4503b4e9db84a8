/** Where the training of a linear probe stands, as it is kept: which of its two trainings, after how many steps, with what weights. */
import type { LinearGridState } from '../backend/eval-backend';
import { checkOption } from '../errors';
import { elapsed, type Json } from '../outcome';
import type { ProgressKeeper, SavedProgress } from '../progress';
import type { GridInTraining } from './train-grid';

/** A probe in training. */
export interface ProbeInTraining {
  /** Top-1 of all classifiers, where the choice is made: the chosen one is trained again. */
  readonly top1: readonly number[];
  readonly training: GridInTraining;
  /** Milliseconds that it had taken. */
  readonly ms: number;
}

/** @throws EvalsError `options` where it is of another computation */
export function readProbeProgress(saved: SavedProgress | undefined): ProbeInTraining | undefined {
  if (!saved) return undefined;
  const { iteration, top1, ms, place } = (saved.state ?? {}) as Readonly<Record<string, Json | undefined>>;
  const isOurs = Number.isSafeInteger(iteration) && Array.isArray(top1) && typeof ms === 'number';
  checkOption(isOurs, 'linearProbe: the saved progress is none of a linear probe; delete it');
  const grid = saved.arrays as LinearGridState;
  return { top1: top1 as number[], ms: ms as number, training: { iteration: iteration as number, grid, place } };
}

/** What keeps where training stands, if that is due now; `started`: when it began, as `performance.now()` counts. */
export function keepProbe(
  keeper: ProgressKeeper,
  started: number,
  top1: readonly number[] = [],
): ((state: GridInTraining) => Promise<void>) | undefined {
  if (!keeper.due()) return undefined;
  return ({ iteration, grid, place }) =>
    keeper.save({
      state: { iteration, top1, ms: elapsed(started), ...(place !== undefined && { place }) },
      arrays: grid,
    });
}
