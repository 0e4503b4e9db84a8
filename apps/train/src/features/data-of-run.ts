/**
 * The data that a command reads: what was asked for, else what the weights were trained on. A run remembers that in its configuration, with what it held out
 * of training: what its weights must not be tested on otherwise.
 */
import { resolve } from 'node:path';
import { DataError, type HoldOutOptions, recogniseSource } from '@franca/data';
import { loadConfig } from '../config/load';
import type { TrainConfig } from '../config/train-config';
import { TrainError } from '../errors';
import { parseWeights, runConfig } from './find-weights';

export interface RunData {
  /** As it was given; undefined where the run took the default. */
  readonly spec: string | undefined;
  readonly heldOut: HoldOutOptions;
  /** The configuration that says so. */
  readonly file: string;
}

/** The data of the run that made `weights`: its folder, a file in it, a checkpoint of it, its RASA. Undefined where no configuration of a run lies there. */
export function dataOfRun(weights: string): RunData | undefined {
  const run = configOfRun(weights);
  if (!run) return undefined;
  const { file, config } = run;
  const { train, franca } = config;
  const spec = train.dataset_path === 'ImageNet:split=TRAIN' ? undefined : train.dataset_path || undefined;
  return { spec, heldOut: { share: franca.data.held_out_share, seed: train.seed }, file };
}

/** How widely the run that made `weights` drew its initial linear layers: the untrained model beside a trained one begins as that did. */
export const initStdOfRun = (weights: string): number | undefined => configOfRun(weights)?.config.franca.vit.init_std;

/** What to hold out of `data`: what the run held out, where it was trained on the same data. */
export function heldOutOfRun(weights: string, data: string): HoldOutOptions | undefined {
  const run = dataOfRun(weights);
  const own = run?.spec ?? 'flowers';
  return run && (own === data || resolve(own) === resolve(data)) ? run.heldOut : undefined;
}

export interface ChosenData {
  /** The text that opens the data. */
  readonly spec: string;
  readonly heldOut: HoldOutOptions | undefined;
  /** What was taken and why, in one line, where nobody named it. */
  readonly said?: string;
}

/** Data for a command; `part` names, in words, what it reads of a run's own. */
export interface DataRequest {
  readonly weights: string;
  readonly asked: string | undefined;
  readonly part: string;
}

/**
 * What was asked for, else the data of the run.
 * @throws TrainError `usage` where nothing was asked for and no run knows its data, `data` where a run's own cannot be found any more
 */
export async function chosenData({ weights, asked, part }: DataRequest): Promise<ChosenData> {
  if (asked !== undefined) return { spec: asked, heldOut: heldOutOfRun(weights, asked) };
  const run = dataOfRun(weights);
  if (run?.spec === undefined)
    throw new TrainError(
      'usage',
      `${weights} belongs to no run that says what it was trained on; name images with --data, as --data photos or --data world`,
    );
  const { spec, heldOut, file } = run;
  await recogniseSource(spec).catch((cause: unknown) => {
    if (!(cause instanceof DataError)) throw cause;
    throw new TrainError(
      'data',
      `the run was trained on ${spec}, as ${file} says (train.dataset_path), which cannot be found: ${cause.message}; ` +
        'go to the folder that it was started in, put the data back, or name others with --data',
      { cause },
    );
  });
  return { spec, heldOut, said: `data: the run's own, ${spec}: ${part}` };
}

/** The configuration of the run that made `weights`; undefined where there is none, or one of something else. */
export function configOfRun(weights: string): { readonly file: string; readonly config: TrainConfig } | undefined {
  const file = runConfig(parseWeights(weights).path);
  if (file === undefined) return undefined;
  try {
    return { file, config: loadConfig([file]).config };
  } catch (error) {
    if (error instanceof TrainError && error.code === 'config') return undefined;
    throw error;
  }
}
