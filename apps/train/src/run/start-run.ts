/** From the options of a command to a run: adapter, configuration, data, starting weights. What `pretrain` and `highres` share. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { stringify } from 'yaml';
import { derive } from '../config/derive';
import type { Machine } from '../config/derived-options';
import type { ResolvedConfig } from '../config/load';
import { TrainError } from '../errors';
import { createProgress } from '../observe/progress';
import { configFrom } from '../options/config-options';
import type { TrainCommandOptions } from '../options/train-options';
import { explainMisfit } from '../plan/fitting-batch';
import { chooseData } from './choose-data';
import { checkPrecision } from './precision';
import type { ResumeMode } from './run-folder';
import { openPretrained } from './starting-weights';
import { train } from './train';

/** Runs training as the options say. `defaultConfig` names the preset where none is given; `resample` lets starting weights of another image size in. */
export async function startRun(
  overrides: readonly string[],
  options: TrainCommandOptions,
  { defaultConfig, resample }: { defaultConfig: (gpu: Gpu) => string; resample: boolean },
): Promise<void> {
  await using gpu = await openGpu({ robustness: false, ...(options.adapter ? { adapter: options.adapter } : {}) });
  const out = options.out ?? join('runs', new Date().toISOString().slice(0, 19).replaceAll(':', '-'));
  const resume: ResumeMode = options.resume ?? 'never';
  const { config } = configure(out, resume, overrides, options, () => defaultConfig(gpu));
  const machine: Machine = { size: 1, rank: 0, f16: gpu.target.family === 'gpu' && gpu.target.f16 };
  const derived = derive(config, machine);
  const slow = checkPrecision(derived, gpu.target);
  const progress = createProgress();
  progress.message(`adapter: ${gpu.target.name}`);
  if (slow) progress.message(`warning: ${slow}`);
  const ownData = derived.loop.datasetPath || undefined;
  // a run that continues stays with its data; the environment only says where new ones find theirs
  const continues = resume !== 'never' && existsSync(join(out, 'config.yaml'));
  const spec = options.data ?? (continues ? ownData : undefined) ?? process.env.FRANCA_DATA ?? ownData;
  const { splits, notes } = await chooseData(spec, derived.loop.heldOutShare, derived.seed, progress.message);
  const from = options.from ?? (derived.loop.pretrainedWeights || undefined);
  const pretrained = from ? await openPretrained(from, derived.vit, resample) : undefined;
  try {
    for (const note of [...notes, ...(pretrained?.notes ?? [])]) progress.message(note);
    const { step, knn, folder } = await train({
      gpu,
      options: derived,
      configText: stringify({ ...config, train: { ...config.train, ...(spec ? { dataset_path: spec } : {}) } }),
      data: splits,
      out,
      resume,
      progress,
      ...(pretrained ? { pretrained: pretrained.weights } : {}),
      ...(options.stopAfter === undefined ? {} : { stopAfter: options.stopAfter }),
      ...(options.profile ? { profile: true } : {}),
    });
    console.log(
      `${folder}: ${step} steps${knn === undefined ? '' : `, k-NN ${(100 * knn).toFixed(1)} %`}; report in ${join(folder, 'report.html')}, teacher in ${join(folder, 'teacher.safetensors')}`,
    );
  } catch (error) {
    throw explainMisfit(error, config, { target: gpu.target, machine, memoryLimit: gpu.memoryLimit });
  } finally {
    await pretrained?.[Symbol.asyncDispose]();
    await splits.close();
  }
}

/** The configuration of a new run, or of the run that is resumed; overrides on top. */
function configure(
  out: string,
  resume: ResumeMode,
  overrides: readonly string[],
  options: TrainCommandOptions,
  defaultConfig: () => string,
): ResolvedConfig {
  if (options.config) return configFrom(options, overrides);
  const own = join(out, 'config.yaml');
  if (resume !== 'never' && existsSync(own)) return configFrom({ config: [own] }, overrides);
  if (resume === 'always') throw new TrainError('usage', `${out} holds no run to resume; --resume auto starts one`);
  return configFrom({ config: [defaultConfig()] }, overrides);
}
