/** A run small enough for a test: a one-block model on 32-pixel scenes, started as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSafetensors } from '../../../test/support/safetensors';
import { cliProgram } from './cli-program';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Overrides of `cpu-tiny`: `steps` iterations, a checkpoint after every one. Heads have one level, as each has kernels of its own that every process prepares:
 * what is proved of the method with all of them is not proved again.
 */
export const tinyOverrides = (steps: number): string[] => [
  `optim.epochs=${steps}`,
  'train.OFFICIAL_EPOCH_LENGTH=1',
  'optim.warmup_epochs=1',
  'optim.freeze_last_layer_epochs=1',
  'teacher.warmup_teacher_temp_epochs=2',
  'train.batch_size_per_gpu=4',
  'student.drop_path_rate=0.3',
  'crops.global_crops_size=16',
  'crops.local_crops_size=12',
  'crops.local_crops_number=2',
  'student.patch_size=4',
  'dino.MRL=false',
  'dino.head_n_prototypes=64',
  'ibot.head_n_prototypes=64',
  'dino.head_hidden_dim=32',
  'ibot.head_hidden_dim=32',
  'dino.head_bottleneck_dim=16',
  'ibot.head_bottleneck_dim=16',
  'franca.vit.embed_dim=32',
  'franca.vit.depth=1',
  'franca.vit.num_heads=2',
  'franca.checkpoint.every=1',
  'franca.log.interval=1',
  'franca.log.picture_interval=1000',
  'franca.knn.interval=1000',
  'franca.knn.max_train=16',
  'franca.knn.max_test=8',
];

export const tinyData = 'world:length=48:size=32';

/** The words of a new run of `cpu-tiny` on small scenes in `out`. */
export const freshRun = (out: string, ...more: string[]): string[] => [
  ...['pretrain', '-c', 'cpu-tiny', '--data', tinyData, '--out', out],
  ...more,
];

/** Starts `franca-train`; resolves to its exit status (null: killed) and what it printed. */
export function startCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): {
  child: ChildProcess;
  done: Promise<{ status: number | null; output: string }>;
} {
  const [node, ...program] = cliProgram;
  const child = spawn(node!, [...program, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout!.on('data', (text) => {
    output += text;
  });
  child.stderr!.on('data', (text) => {
    output += text;
  });
  return { child, done: new Promise((resolve) => child.on('close', (status) => resolve({ status, output }))) };
}

/** All tensors of a run's newest checkpoint, as exact bytes by `group/name`. */
export async function newestTensors(run: string): Promise<Record<string, string>> {
  const folder = join(run, 'checkpoints');
  const newest = (await readdir(folder))
    .filter((name) => name.startsWith('step-'))
    .sort()
    .at(-1)!;
  const files = (await readdir(join(folder, newest))).filter((name) => name.endsWith('.safetensors'));
  const tensors: Record<string, string> = { checkpoint: newest };
  for (const file of files) {
    for (const [name, { data }] of readSafetensors(join(folder, newest, file)).tensors) {
      const typed = data as Float32Array;
      tensors[`${file}/${name}`] = Buffer.from(typed.buffer, typed.byteOffset, typed.byteLength).toString('base64');
    }
  }
  return tensors;
}
