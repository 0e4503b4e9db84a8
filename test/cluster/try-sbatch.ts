#!/usr/bin/env -S npx tsx
/**
 * `apps/train/cluster/franca.sbatch` as it stands, on a Slurm of one node: two ranks that train are warned of the end of their time, cancelled and requeued, and
 * go on each time; in the end the weights are those of a job that was left in peace, bit for bit.
 *
 *   node scripts/setup.mjs -- npx tsx test/cluster/try-sbatch.ts [--steps 60]
 */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { latestRunCheckpoint } from '@franca/checkpoint';
import { newestTensors, tinyData, tinyOverrides } from '../../apps/train/test/tiny-run';
import { startSlurm } from './one-node-slurm';
import { output } from './processes';
import { stepsDone } from './steps-done';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values } = parseArgs({ options: { steps: { type: 'string', default: '60' } } });

/** Submits the script for a run in `out`, from `folder`; resolves to the number of the job. */
async function submit(folder: string, out: string, env: NodeJS.ProcessEnv): Promise<string> {
  const settings = [...tinyOverrides(Number(values.steps)), 'franca.checkpoint.every=1000'];
  const words = ['-c', 'cpu-tiny', '--adapter', 'software', '--data', tinyData, '--out', out, ...settings];
  const here = ['--nodes=1', '--ntasks-per-node=2', '--cpus-per-task=1', `--chdir=${folder}`];
  return output('sbatch', ['--parsable', ...here, join(folder, 'franca.sbatch'), ...words], env);
}

/** What Slurm says of a job: its state, why it waits, and how often it was queued again. */
async function look(job: string, env: NodeJS.ProcessEnv): Promise<{ state: string; reason: string; restarts: number }> {
  const text = await output('scontrol', ['show', 'job', job], env);
  const field = (name: string): string => new RegExp(`${name}=(\\w+)`).exec(text)?.[1] ?? '';
  return { state: field('JobState'), reason: field('Reason'), restarts: Number(field('Restarts')) };
}

/** Waits until `isSo`; throws after three minutes, with what the job printed. */
async function until(what: string, isSo: () => Promise<boolean> | boolean, log: string): Promise<void> {
  for (let tries = 0; tries < 900; tries++) {
    if (await isSo()) return;
    await sleep(200);
  }
  throw new Error(`three minutes passed, and not ${what}:\n${readFileSync(log, 'utf8')}`);
}

async function main(): Promise<void> {
  await using slurm = await startSlurm();
  const { env } = slurm;
  const folder = mkdtempSync(join(tmpdir(), 'try-sbatch-'));
  cpSync(join(root, 'apps/train/cluster/franca.sbatch'), join(folder, 'franca.sbatch'));
  // the program from the sources, in the place of an installed one; exec, so that signals reach it as they would that
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  const program = join(folder, 'node_modules/.bin/franca-train');
  const start = `cd ${root} && exec ${process.execPath} --import tsx apps/train/src/cli.ts "$@"`;
  writeFileSync(program, `#!/bin/sh\n${start}\n`);
  chmodSync(program, 0o755);

  const log = (job: string): string => join(folder, `franca-${job}.out`);
  const over = async (job: string, state: string): Promise<void> => {
    const isOver = async () => /COMPLETED|CANCELLED|FAILED|TIMEOUT/.test((await look(job, env)).state);
    await until(`job ${job} over`, isOver, log(job));
    const found = (await look(job, env)).state;
    if (found !== state) throw new Error(`job ${job} is ${found}, not ${state}:\n${readFileSync(log(job), 'utf8')}`);
  };
  const steps = async (job: string, out: string, count: number): Promise<void> =>
    until(`${count} steps done`, () => stepsDone(out) >= count, log(job));
  const requeued = async (job: string, times: number): Promise<void> => {
    const isWaiting = async () => {
      const { restarts, reason } = await look(job, env);
      return restarts === times && reason === 'BeginTime';
    };
    await until('queued again', isWaiting, log(job));
    // Slurm would let two minutes pass; at once is too soon, slurmd still refuses the number of the job
    await output('scontrol', ['update', `JobId=${job}`, 'StartTime=now+5'], env);
  };
  const saved = async (out: string): Promise<number | undefined> => (await latestRunCheckpoint(out)).checkpoint?.step;

  const peaceful = join(folder, 'peaceful');
  const quiet = await submit(folder, peaceful, env);
  await over(quiet, 'COMPLETED');
  console.log(`job ${quiet} in peace: ${stepsDone(peaceful)} steps`);

  const out = join(folder, 'run');
  const first = await submit(folder, out, env);
  await steps(first, out, 5);
  await output('scancel', ['--batch', '--signal=USR1', first], env);
  await requeued(first, 1);
  console.log(`job ${first} warned by SIGUSR1: saved at step ${await saved(out)}, queued again`);
  await steps(first, out, 15);
  await output('scontrol', ['requeue', first], env);
  await requeued(first, 2);
  console.log(`job ${first} requeued by an operator (SIGTERM): saved at step ${await saved(out)}`);
  await steps(first, out, 25);
  await output('scancel', [first], env);
  await over(first, 'CANCELLED');
  console.log(`job ${first} cancelled (SIGTERM): saved at step ${await saved(out)}`);
  const second = await submit(folder, out, env);
  await over(second, 'COMPLETED');

  const [expected, found] = [await newestTensors(peaceful), await newestTensors(out)];
  const names = Object.keys(expected);
  const different = names.filter((name) => expected[name] !== found[name]);
  if (different.length > 0) throw new Error(`${different.length} of ${names.length} differ, ${different[0]} the first`);
  console.log(
    `job ${second} went on to ${found.checkpoint}: all ${names.length - 1} tensors are those of the job in peace`,
  );
  rmSync(folder, { recursive: true, force: true });
}

await main();
