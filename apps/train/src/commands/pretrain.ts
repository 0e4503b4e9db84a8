/** `franca-train pretrain`: trains a model from scratch, or continues a run. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { type Command, Option } from 'commander';
import { stringify } from 'yaml';
import { derive } from '../config/derive';
import type { ResolvedConfig } from '../config/load';
import { type ConfigOptions, configFrom, withConfig } from '../config-options';
import { openData } from '../data';
import { TrainError } from '../errors';
import { examples } from '../program';
import { createProgress } from '../run/progress';
import type { ResumeMode } from '../run/run-folder';
import { train } from '../run/train';

interface Options extends ConfigOptions {
  readonly data?: string;
  readonly out?: string;
  readonly resume?: true | 'auto';
  readonly adapter?: string;
  readonly stopAfter?: number;
  readonly profile?: true;
}

/** Adds the command. */
export function register(program: Command): void {
  withConfig(program.command('pretrain'))
    .description('train a model on images, without labels')
    .option(
      '-d, --data <what>',
      'a folder of images, tar or parquet shards, hf://owner/name, ... (default: FRANCA_DATA, else flower photographs, else a generated world)',
    )
    .option('-o, --out <folder>', 'the run folder (default: runs/<time>)')
    .option('--resume [auto]', 'continue the run in --out; auto: start it if there is nothing to continue')
    .option('--adapter <name>', "auto, software, or part of an adapter's name (default: FRANCA_ADAPTER, else auto)")
    .addOption(
      new Option('--stop-after <step>', 'stop after this step with a checkpoint, the schedules unchanged').argParser(
        Number,
      ),
    )
    .option('--profile', 'time every kind of kernel once, after the third step, and print where a step spends its time')
    .addHelpText(
      'after',
      examples([
        ['franca-train pretrain', 'a first run: no argument needed'],
        ['franca-train pretrain --data photos/ --out runs/photos', 'on a folder of your own'],
        ['franca-train pretrain -c gpu-base --data hf://owner/images', 'another preset, data from the hub'],
        ['franca-train pretrain -c vitb14.yaml optim.epochs=50', 'an official configuration with a change'],
        ['franca-train pretrain --resume --out runs/photos', 'continue where it stopped, bit for bit'],
      ]),
    )
    .action(async (overrides: string[], options: Options) => {
      await using gpu = await openGpu({ robustness: false, ...(options.adapter ? { adapter: options.adapter } : {}) });
      await pretrain(gpu, overrides, options);
    });
}

async function pretrain(gpu: Gpu, overrides: readonly string[], options: Options): Promise<void> {
  const out = options.out ?? join('runs', new Date().toISOString().slice(0, 19).replaceAll(':', '-'));
  const resume: ResumeMode = options.resume === true ? 'always' : (options.resume ?? 'never');
  const { config } = configure(gpu, out, resume, overrides, options);
  const derived = derive(config, { size: 1, rank: 0, f16: gpu.target.family === 'gpu' && gpu.target.f16 });
  const progress = createProgress();
  progress.message(`adapter: ${gpu.target.name}`);
  const spec = options.data ?? process.env.FRANCA_DATA ?? (derived.run.datasetPath || undefined);
  const { splits, notes } = await openData(spec, derived.run.heldOutShare, derived.seed, progress.message);
  try {
    for (const note of notes) progress.message(note);
    const { step, knn, folder } = await train({
      gpu,
      options: derived,
      configText: stringify({ ...config, train: { ...config.train, ...(spec ? { dataset_path: spec } : {}) } }),
      data: splits,
      out,
      resume,
      progress,
      ...(options.stopAfter === undefined ? {} : { stopAfter: options.stopAfter }),
      ...(options.profile ? { profile: true } : {}),
    });
    console.log(
      `${folder}: ${step} steps${knn === undefined ? '' : `, k-NN ${(100 * knn).toFixed(1)} %`}; report in ${join(folder, 'report.html')}, teacher in ${join(folder, 'teacher.safetensors')}`,
    );
  } finally {
    await splits.close();
  }
}

/** The configuration of a new run, or of the run that is resumed; overrides on top. */
function configure(
  gpu: Gpu,
  out: string,
  resume: ResumeMode,
  overrides: readonly string[],
  options: Options,
): ResolvedConfig {
  if (options.config) return configFrom(options, overrides);
  const own = join(out, 'config.yaml');
  if (resume !== 'never' && existsSync(own)) return configFrom({ config: [own] }, overrides);
  if (resume === 'always') throw new TrainError('usage', `${out} holds no run to resume`);
  return configFrom({ config: [gpu.target.family === 'cpu' ? 'cpu-tiny' : 'gpu-small'] }, overrides);
}
