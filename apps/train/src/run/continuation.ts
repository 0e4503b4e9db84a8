/** What a run goes on from: its own newest checkpoint, or, where it forks, one of another run, of which nothing is ever changed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { latestRunCheckpoint, listRunCheckpoints, loadRunCheckpoint, type RunCheckpoint } from '@franca/checkpoint';
import { loadConfig, resolveConfig } from '../config/load';
import type { TrainConfig } from '../config/train-config';
import { TrainError } from '../errors';
import { type SavedState, savedStateOf } from './saved-state';

export interface Continuation {
  /** Folder of the run whose checkpoint it is. */
  readonly run: string;
  readonly checkpoint: RunCheckpoint;
  readonly saved: SavedState;
  /** What the steps so far were made with. */
  readonly config: TrainConfig;
  /** Whether another run begins here. */
  readonly isFork: boolean;
}

/** @throws TrainError `run` where nothing says what the checkpoint was made with */
export function continuationOf(checkpoint: RunCheckpoint, run: string, isFork: boolean): Continuation {
  const saved = savedStateOf(checkpoint);
  return { run, checkpoint, saved, config: configOf(checkpoint, saved, run), isFork };
}

function configOf({ path }: RunCheckpoint, { made, cursor }: SavedState, run: string): TrainConfig {
  if (made) return withGpus(resolveConfig([{ source: path, settings: made.config }]).config);
  const file = join(run, 'config.yaml');
  // of the first versions, whose file a refused command could overwrite: the seed at least is known
  if (existsSync(file)) return withGpus(loadConfig([file], [`train.seed=${cursor.sampler.seed}`]).config);
  throw new TrainError(
    'run',
    `neither ${path} nor ${file} says with which configuration the run was made; put its config.yaml back`,
  );
}

/** Runs of the first versions were of one device, and did not write that down. */
const withGpus = (config: TrainConfig): TrainConfig =>
  config.franca.gpus === 'auto' ? { ...config, franca: { ...config.franca, gpus: 1 } } : config;

/**
 * A checkpoint of another run to fork from: that of step `at`, else the newest that is whole.
 * @returns also the damaged ones that were passed over, in words
 * @throws TrainError `run` where there is none, with those that there are; CheckpointError `corrupt`
 */
export async function openParent(
  run: string,
  at: number | undefined,
): Promise<{ origin: Continuation; rejected: string[] }> {
  const kept = await listRunCheckpoints(run);
  if (kept.length === 0) throw new TrainError('run', `${run} has no checkpoint to fork from`);
  if (at !== undefined) {
    const found = kept.findLast(({ step }) => step === at);
    if (!found)
      throw new TrainError(
        'run',
        `${run} has no checkpoint of step ${at}; there are ${[...new Set(kept.map(({ step }) => step))].join(', ')} (franca.checkpoint.keep_every keeps more)`,
      );
    return { origin: continuationOf(await loadRunCheckpoint(found.path), run, true), rejected: [] };
  }
  const { checkpoint, rejected } = await latestRunCheckpoint(run);
  const reasons = rejected.map(({ error }) => error.message);
  if (!checkpoint) throw new TrainError('run', `${run} has no usable checkpoint to fork from: ${reasons.join('; ')}`);
  return { origin: continuationOf(checkpoint, run, true), rejected: reasons };
}
