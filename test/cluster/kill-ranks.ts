#!/usr/bin/env -S npx tsx
/**
 * Ranks killed at random: a tiny run of several ranks loses one of them to `kill -9` again and again, and is resumed each time. Every time all ranks must be gone within
 * ten seconds, or before they have met when they have waited for it long enough, and the newest checkpoint must be whole; in the end the run must have the
 * weights of one that was left in peace, bit for bit.
 *
 *   node scripts/setup.mjs -- npx tsx test/cluster/kill-ranks.ts [--launcher openmpi|mpich|srun] [--ranks 2] [--kills 10] [--steps 40] [--seed 1]
 *
 * One kill in four comes while the ranks start, the others some steps later, at any point of a step, a checkpoint included. Linux; some minutes; exit status 0 where all of it
 * held. `srun` starts a Slurm of its own (one-node-slurm.ts) and does not ask it to end a job when a task fails: the ranks must do that themselves.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { latestRunCheckpoint } from '@franca/checkpoint';
import { newestTensors, tinyData, tinyOverrides } from '../../apps/train/test/tiny-run';
import { type Launched, type LauncherName, launch, launcherNames } from './launch';
import { startSlurm } from './one-node-slurm';
import { stepsDone } from './steps-done';

/** Within this time of the death of one rank, all are gone. */
const SECONDS_TO_END = 10;
/** The same where ranks have not met yet, and the launcher does not mind: they are waited for as long as `openCommunicator` says, 120 s. */
const SECONDS_TO_MEET = 130;

const { values } = parseArgs({
  options: {
    launcher: { type: 'string', default: 'openmpi' },
    ranks: { type: 'string', default: '2' },
    kills: { type: 'string', default: '10' },
    steps: { type: 'string', default: '40' },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
  },
});
const [ranks, kills, steps] = [Number(values.ranks), Number(values.kills), Number(values.steps)];

let drawn = 0;

/** Uniform in [0, 1), a function of the seed and of how many were drawn before. */
function random(): number {
  return createHash('sha256').update(`${values.seed} ${drawn++}`).digest().readUInt32BE() / 2 ** 32;
}

/** A run of `steps` steps on `ranks` ranks, or its continuation; a checkpoint after every third step. */
function train(out: string, env: NodeJS.ProcessEnv): Launched {
  const settings = [...tinyOverrides(steps), 'franca.checkpoint.every=3', `franca.gpus=${ranks}`];
  const words = ['pretrain', '-c', 'cpu-tiny', '--adapter', 'software', '--data', tinyData, '--out', out];
  return launch(values.launcher as LauncherName, ranks, [...words, '--resume', 'auto', ...settings], env);
}

const isOver = ({ launcher }: Launched): boolean => launcher.exitCode !== null || launcher.signalCode !== null;

/** Waits for a random moment of the run's life; false where it ended before. */
async function randomMoment(run: Launched, out: string): Promise<boolean> {
  while (new Set(run.processes().map(({ rank }) => rank)).size < ranks && !isOver(run)) await sleep(20);
  if (random() < 0.25) {
    await sleep(5000 * random());
    return !isOver(run);
  }
  const until = stepsDone(out) + 1 + Math.floor(random() * 6);
  while (stepsDone(out) < until && !isOver(run)) await sleep(20);
  await sleep(500 * random());
  return !isOver(run);
}

/** Kills one rank and watches the others go. Throws what did not hold. */
async function killOne(nth: number, out: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const before = (await latestRunCheckpoint(out)).checkpoint?.step;
  const run = train(out, env);
  if (!(await randomMoment(run, out))) {
    const status = await run.ended;
    if (status !== 0) throw new Error(`the run ended by itself with status ${status}:\n${run.text()}`);
    return false;
  }
  const rank = Math.floor(random() * ranks);
  const step = stepsDone(out);
  const limit = /\d ranks: /.test(run.text()) ? SECONDS_TO_END : SECONDS_TO_MEET;
  const [printed, at] = [run.text().length, performance.now()];
  for (const { pid } of run.processes().filter((one) => one.rank === rank)) process.kill(pid, 'SIGKILL');
  while (run.processes().length > 0) {
    if (performance.now() - at > limit * 1000) {
      for (const { pid } of run.processes()) process.kill(pid, 'SIGKILL');
      throw new Error(`ranks were left ${limit} s after rank ${rank} was killed:\n${run.text().slice(printed)}`);
    }
    await sleep(50);
  }
  const seconds = (performance.now() - at) / 1000;
  await run.ended;
  const { checkpoint, rejected } = await latestRunCheckpoint(out);
  const lines = run.text().slice(printed).split('\n');
  const said =
    lines.find((line) => /franca-train: /.test(line)) ?? lines.find((line) => /signal 9|Killed|SIGNAL/.test(line));
  console.log(
    `kill ${nth}: rank ${rank} after step ${step} (resumed from ${before ?? 'nothing'}); all gone in ${seconds.toFixed(1)} s; checkpoint ${checkpoint?.step ?? 'none yet'}; said: ${said?.trim() ?? 'nothing'}`,
  );
  for (const { error } of rejected) throw error;
  return true;
}

async function finish(out: string, env: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const run = train(out, env);
  const status = await run.ended;
  if (status !== 0) throw new Error(`a run that nothing happened to ended with status ${status}:\n${run.text()}`);
  return newestTensors(out);
}

async function main(): Promise<void> {
  if (!launcherNames.includes(values.launcher as LauncherName))
    throw new Error(`--launcher is one of ${launcherNames.join(', ')}`);
  console.log(`${kills} kills of one of ${ranks} ranks under ${values.launcher}, ${steps} steps, seed ${values.seed}`);
  await using slurm = values.launcher === 'srun' ? await startSlurm() : undefined;
  const env = slurm?.env ?? process.env;
  const folder = mkdtempSync(join(tmpdir(), 'kill-ranks-'));
  const [peaceful, killed] = [join(folder, 'peaceful'), join(folder, 'killed')];
  const expected = await finish(peaceful, env);
  let done = 0;
  while (done < kills && (await killOne(done + 1, killed, env))) done++;
  if (done < kills) throw new Error(`the run was over after ${done} kills; take more --steps`);
  const found = await finish(killed, env);
  const names = Object.keys(expected);
  const different = names.filter((name) => found[name] !== expected[name]);
  if (different.length > 0)
    throw new Error(`${different.length} of ${names.length} tensors differ, ${different[0]} the first`);
  console.log(
    `resumed to ${found.checkpoint}: all ${names.length - 1} tensors are bit for bit those of the run in peace`,
  );
  rmSync(folder, { recursive: true, force: true });
}

await main();
