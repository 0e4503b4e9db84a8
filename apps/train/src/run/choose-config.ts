/** The configuration of a run and where it reads and writes: what the command says, what the run that goes on says, and what nobody said. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DerivedOptions } from '../config/derived-options';
import { COMMAND_LINE, loadConfig, type ResolvedConfig } from '../config/load';
import { settingsWithoutEffect } from '../config/no-effect';
import { presetNamed } from '../config/presets';
import type { TrainConfig } from '../config/train-config';
import { asTree } from '../config/tree';
import { TrainError } from '../errors';
import { configFrom } from '../options/config-options';
import type { TrainCommandOptions } from '../options/train-options';
import type { Continuation } from './continuation';
import type { RunFolder } from './run-folder';

export function checkUsage({ fork, at, resume }: TrainCommandOptions): void {
  if (fork !== undefined && resume)
    throw new TrainError('usage', '--fork begins a new run and --resume goes on with an old one; give one of them');
  if (fork === undefined && at !== undefined)
    throw new TrainError('usage', '--at says at which step --fork leaves a run; give both');
}

/** `--out`, else `train.output_dir`, else a folder of this moment. */
export function outputOf(overrides: readonly string[], options: TrainCommandOptions): string {
  const named = options.out ?? namedOutput(loadConfig(options.config ?? [], overrides).config);
  if (named === undefined && options.resume === 'always')
    throw new TrainError('usage', 'give the run to resume with --out');
  return named ?? join('runs', new Date().toISOString().slice(0, 19).replaceAll(':', '-'));
}

/** The official default, the working directory, stands for a folder that nobody chose. */
const namedOutput = ({ train: { output_dir } }: TrainConfig): string | undefined =>
  output_dir === '.' || output_dir === '' ? undefined : output_dir;

/** What was asked for in vain, now; what a run said of itself when it began is not said again. */
export function vainNotes(resolved: ResolvedConfig, { out, config = [] }: TrainCommandOptions): string[] {
  const named = namedOutput(resolved.config);
  const overruled = out !== undefined && named !== undefined && named !== out;
  return [
    ...settingsWithoutEffect(
      resolved,
      (source) => source === COMMAND_LINE || (config.includes(source) && !presetNamed(source)),
    ),
    ...(overruled ? [`without effect: train.output_dir=${named}; --out is ${out}`] : []),
  ];
}

/** The configuration of a new run, or of the run that goes on; overrides on top. A file in the folder of the run may have been edited: it counts. */
export function configure(
  folder: Pick<RunFolder, 'path'>,
  origin: Continuation | undefined,
  overrides: readonly string[],
  options: TrainCommandOptions,
  defaultConfig: () => string,
): ResolvedConfig {
  const resolved = configureFreely(folder, origin, overrides, options, defaultConfig);
  const { config } = resolved;
  // nobody asks for another number of devices by leaving it open
  if (!origin || origin.isFork || config.franca.gpus !== 'auto') return resolved;
  return { ...resolved, config: { ...config, franca: { ...config.franca, gpus: origin.config.franca.gpus } } };
}

function configureFreely(...[{ path }, origin, overrides, options, defaultConfig]: Parameters<typeof configure>) {
  if (origin?.isFork)
    return loadConfig(options.config ?? [], overrides, [{ source: origin.run, settings: asTree(origin.config) }]);
  if (options.config) return configFrom(options, overrides);
  if (options.resume && existsSync(ownConfig(path))) return loadConfig([ownConfig(path)], overrides);
  if (origin) return loadConfig([], overrides, [{ source: origin.checkpoint.path, settings: asTree(origin.config) }]);
  return loadConfig([defaultConfig()], overrides);
}

/** Whether nobody chose a configuration: not the user, nor a run that goes on. */
export const takesDefault = (
  { path }: RunFolder,
  origin: Continuation | undefined,
  { config, resume }: TrainCommandOptions,
): boolean => !origin && !config && !(resume && existsSync(ownConfig(path)));

export const ownConfig = (folder: string): string => join(folder, 'config.yaml');

/** Where data are asked for. A run that goes on stays with its data; the environment only says where new ones find theirs. */
export function dataOf(
  { path }: RunFolder,
  origin: Continuation | undefined,
  { loop }: Pick<DerivedOptions, 'loop'>,
  options: TrainCommandOptions,
): string | undefined {
  const own = loop.datasetPath || undefined;
  const continues = origin !== undefined || (options.resume !== undefined && existsSync(ownConfig(path)));
  return options.data ?? (continues ? own : undefined) ?? process.env.FRANCA_DATA ?? own;
}

interface RecordedSources {
  readonly spec: string;
  readonly from: string | undefined;
  readonly gpus: number;
  /** The file of a frozen teacher. */
  readonly teacher?: string | undefined;
}

/** What is written down: the data, weights and devices that were taken, wherever their names came from; a run lies where its configuration does. */
export const recordedConfig = (config: TrainConfig, { spec, from, gpus, teacher }: RecordedSources): TrainConfig => ({
  ...config,
  franca: { ...config.franca, gpus, ...(teacher === undefined ? {} : { distillation: { teacher } }) },
  train: { ...config.train, dataset_path: spec, output_dir: '.' },
  student: { ...config.student, ...(from ? { pretrained_weights: from } : {}) },
});
