/** The data that a run was trained on, and which images it held out of training: what its weights must not be tested on otherwise. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { HoldOutOptions } from '@franca/data';
import { loadConfig } from '../config/load';

export interface RunData {
  /** As it was given; undefined where the run took the default. */
  readonly spec: string | undefined;
  readonly heldOut: HoldOutOptions;
}

/** The data of the run that made `weights`: its folder, or a file in it. Undefined where no configuration lies there. */
export function dataOfRun(weights: string): RunData | undefined {
  const place = weights.replace(/^random:/, '');
  const file = [place, dirname(place)].map((folder) => join(folder, 'config.yaml')).find(existsSync);
  if (!file) return undefined;
  const { train, franca } = loadConfig([file]).config;
  const spec = train.dataset_path === 'ImageNet:split=TRAIN' ? undefined : train.dataset_path || undefined;
  return { spec, heldOut: { share: franca.data.held_out_share, seed: train.seed } };
}

/** What to hold out of `data`: what the run held out, where it was trained on the same data. */
export function heldOutOfRun(weights: string, data: string): HoldOutOptions | undefined {
  const run = dataOfRun(weights);
  const own = run?.spec ?? 'flowers';
  return run && (own === data || resolve(own) === resolve(data)) ? run.heldOut : undefined;
}
