/**
 * From the options of a command to a run: adapter, folder, configuration, what it goes on from, data, starting weights. What `pretrain` and `highres` share.
 * Everything that can refuse is asked before anything is written.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { worldOptions } from '@franca/data';
import { fitPretraining } from '@franca/pretraining';
import type { Gpu } from '@franca/tensor';
import { openGpu, thisHost } from '@franca/tensor/node';
import { derive } from '../config/derive';
import type { DerivedOptions, Machine } from '../config/derived-options';
import { COMMAND_LINE, loadConfig, type ResolvedConfig } from '../config/load';
import { settingsWithoutEffect } from '../config/no-effect';
import { presetNamed } from '../config/presets';
import type { TrainConfig } from '../config/train-config';
import { asTree } from '../config/tree';
import { TrainError } from '../errors';
import { lastScreen } from '../observe/last-screen';
import { createProgress } from '../observe/progress';
import { configFrom } from '../options/config-options';
import type { TrainCommandOptions } from '../options/train-options';
import { explainMisfit } from '../plan/fitting-batch';
import { otherAdapter, unusedCard } from './adapter-notes';
import { chooseData } from './choose-data';
import { forkData, resumeData } from './compare-data';
import { checkFork, checkResume } from './compare-settings';
import { type Continuation, continuationOf, openParent } from './continuation';
import { recordData } from './data-record';
import { checkPrecision } from './precision';
import { openRunFolder, type RunFolder, refuseAmongPictures } from './run-folder';
import { openPretrained, type PretrainedFile } from './starting-weights';
import { type Origin, train } from './train';
import { takeTuning } from './tuning-record';

/** What distinguishes the commands: the preset where none is given, and whether starting weights of another image size are let in. */
export interface RunKind {
  readonly defaultConfig: (gpu: Gpu, isEasyWorld: boolean) => string;
  readonly resample: boolean;
}

/** Runs training as the options say. */
export async function startRun(
  overrides: readonly string[],
  options: TrainCommandOptions,
  kind: RunKind,
): Promise<void> {
  checkUsage(options);
  await using gpu = await openGpu({ robustness: false, ...(options.adapter ? { adapter: options.adapter } : {}) });
  const out = outputOf(overrides, options);
  await using folder = await openRunFolder(out, options.resume ?? 'never');
  const progress = createProgress();
  progress.message(`adapter: ${gpu.target.name}`);
  const notes: string[] = [];
  const note = (text: string): void => {
    notes.push(text);
    progress.message(text);
  };

  for (const text of unusedCard(options.adapter ?? process.env.FRANCA_ADAPTER, gpu.target, thisHost())) note(text);
  const found = await findOrigin(folder, options, note);
  for (const text of await otherAdapter(found, gpu)) note(text);
  for (const text of found ? await takeTuning(found.run, gpu) : []) note(text);
  const configured = configure(folder, found, overrides, options, () => kind.defaultConfig(gpu, false));
  const machine: Machine = { size: 1, rank: 0, f16: gpu.target.family === 'gpu' && gpu.target.f16 };
  const before = derive(configured.config, machine);
  for (const text of [...checkSettings(folder, found, configured, machine), ...vainNotes(configured, options)])
    note(text);
  const slow = checkPrecision(before, gpu.target);
  if (slow) note(`warning: ${slow}`);
  const { spec: asked, from } = sourcesOf(folder, found, before, options);
  const {
    spec,
    splits,
    notes: dataNotes,
  } = await chooseData(asked, before.loop.heldOutShare, before.seed, progress.message);
  let pretrained: PretrainedFile | undefined;
  let resolved = configured;
  try {
    // what suits a drawn world does not suit photographs, and which of them it is was not known before
    const suited = isEasyWorld(spec) && takesDefault(folder, found, options);
    if (suited) resolved = loadConfig([kind.defaultConfig(gpu, true)], overrides);
    const derived = suited ? derive(resolved.config, machine) : before;
    for (const text of dataNotes) note(text);
    await refuseAmongPictures(out, splits.train.folder);
    const record = recordData(spec, splits);
    const origin = found && goOn(found, derived, { spec, splits, record }, note);
    if (from && found) note(`${from} is not used: the weights are those of the checkpoint`);
    pretrained = from && !found ? await openPretrained(from, derived.vit, kind.resample) : undefined;
    for (const text of pretrained?.notes ?? []) note(text);
    const config = recordedConfig(resolved.config, spec, found ? found.config.student.pretrained_weights : from);
    const fitted = fitPretraining(derived, gpu.target, found && !found.isFork ? found.saved.made?.memory : undefined);
    note(fitted.note);
    const { outcome } = await train({
      gpu,
      options: fitted.options,
      chunks: fitted.chunks,
      made: { config: asTree(config), precision: derived.precision, memory: fitted.choice, data: record },
      data: splits,
      folder,
      notes,
      progress,
      ...(origin ? { origin } : {}),
      ...(pretrained ? { pretrained: pretrained.weights } : {}),
      ...(options.stopAfter === undefined ? {} : { stopAfter: options.stopAfter }),
      ...(options.profile ? { profile: true } : {}),
    });
    console.log(lastScreen(out, outcome));
  } catch (error) {
    throw explainMisfit(error, resolved.config, { target: gpu.target, machine, memoryLimit: gpu.memoryLimit });
  } finally {
    await pretrained?.[Symbol.asyncDispose]();
    await splits.close();
  }
}

function checkUsage({ fork, at, resume }: TrainCommandOptions): void {
  if (fork !== undefined && resume)
    throw new TrainError('usage', '--fork begins a new run and --resume goes on with an old one; give one of them');
  if (fork === undefined && at !== undefined)
    throw new TrainError('usage', '--at says at which step --fork leaves a run; give both');
}

/** `--out`, else `train.output_dir`, else a folder of this moment. */
function outputOf(overrides: readonly string[], options: TrainCommandOptions): string {
  const named = options.out ?? namedOutput(loadConfig(options.config ?? [], overrides).config);
  if (named === undefined && options.resume === 'always')
    throw new TrainError('usage', 'give the run to resume with --out');
  return named ?? join('runs', new Date().toISOString().slice(0, 19).replaceAll(':', '-'));
}

/** The official default, the working directory, stands for a folder that nobody chose. */
const namedOutput = ({ train: { output_dir } }: TrainConfig): string | undefined =>
  output_dir === '.' || output_dir === '' ? undefined : output_dir;

/** What was asked for in vain, now; what a run said of itself when it began is not said again. */
function vainNotes(resolved: ResolvedConfig, { out, config = [] }: TrainCommandOptions): string[] {
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

async function findOrigin(
  { path, checkpoint, rejected }: RunFolder,
  { fork, at }: TrainCommandOptions,
  note: (text: string) => void,
): Promise<Continuation | undefined> {
  const parent = fork === undefined ? undefined : await openParent(fork, at);
  for (const text of [...rejected, ...(parent?.rejected ?? [])]) note(`warning: ${text}`);
  return parent?.origin ?? (checkpoint && continuationOf(checkpoint, path, false));
}

/** The configuration of a new run, or of the run that goes on; overrides on top. A file in the folder of the run may have been edited: it counts. */
function configure(
  { path }: RunFolder,
  origin: Continuation | undefined,
  overrides: readonly string[],
  options: TrainCommandOptions,
  defaultConfig: () => string,
): ResolvedConfig {
  if (origin?.isFork)
    return loadConfig(options.config ?? [], overrides, [{ source: origin.run, settings: asTree(origin.config) }]);
  if (options.config) return configFrom(options, overrides);
  if (options.resume && existsSync(ownConfig(path))) return loadConfig([ownConfig(path)], overrides);
  if (origin) return loadConfig([], overrides, [{ source: origin.checkpoint.path, settings: asTree(origin.config) }]);
  return loadConfig([defaultConfig()], overrides);
}

/** Whether nobody chose a configuration: not the user, nor a run that goes on. */
const takesDefault = (
  { path }: RunFolder,
  origin: Continuation | undefined,
  { config, resume }: TrainCommandOptions,
): boolean => !origin && !config && !(resume && existsSync(ownConfig(path)));

const isEasyWorld = (spec: string): boolean =>
  /^world:/.test(spec) && worldOptions(spec.slice('world:'.length), 'train').grade === 'easy';

const ownConfig = (folder: string): string => join(folder, 'config.yaml');

function checkSettings(
  { path, checkpoint }: RunFolder,
  origin: Continuation | undefined,
  resolved: ResolvedConfig,
  machine: Machine,
): string[] {
  if (!origin) return [];
  if (origin.isFork) {
    const notes = checkFork(origin, resolved.config, machine);
    return [`forks ${origin.run} after step ${origin.checkpoint.step}`, ...notes];
  }
  checkResume(origin, resolved, { machine, own: ownConfig(path) });
  return checkpoint ? [`resuming ${path} after step ${checkpoint.step}`] : [];
}

/** Where data and starting weights are asked for. A run that goes on stays with its data; the environment only says where new ones find theirs. */
function sourcesOf(
  { path }: RunFolder,
  origin: Continuation | undefined,
  { loop }: DerivedOptions,
  options: TrainCommandOptions,
): { spec: string | undefined; from: string | undefined } {
  const own = loop.datasetPath || undefined;
  const continues = origin !== undefined || (options.resume !== undefined && existsSync(ownConfig(path)));
  return {
    spec: options.data ?? (continues ? own : undefined) ?? process.env.FRANCA_DATA ?? own,
    from: options.from ?? (origin ? undefined : loop.pretrainedWeights || undefined),
  };
}

function goOn(
  found: Continuation,
  derived: DerivedOptions,
  now: Parameters<typeof resumeData>[2],
  note: (text: string) => void,
): Origin {
  const { cursor, notes } = (found.isFork ? forkData : resumeData)(found, derived, now);
  for (const text of notes) note(text);
  return { ...found, cursor };
}

/** What is written down: the data and weights that were taken, wherever their names came from; a run lies where its configuration does. */
const recordedConfig = (config: TrainConfig, spec: string, from: string | undefined): TrainConfig => ({
  ...config,
  train: { ...config.train, dataset_path: spec, output_dir: '.' },
  student: { ...config.student, ...(from ? { pretrained_weights: from } : {}) },
});
