/** Real runs of two ranks. The model has one level and no local crops: what is proved of the method with ranks in one process is not proved again. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSafetensors } from '../../../test/support/safetensors';
import { readMetrics } from '../src/observe/metrics-log';
import { run } from './in-process';
import { hasMpirun, type StartedRanks, startRanks } from './start-ranks';
import { freshRun, newestTensors, tinyOverrides } from './tiny-run';

const STEPS = 6;
/** Without KoLeo, whose gradient of two images with nearly the same features (as an untrained model gives them) is made of rounding. */
const SMALL = ['ibot.separate_head=false', 'crops.local_crops_number=0', 'dino.koleo_loss_weight=0'];
let folder: string;
const at = (name: string) => join(folder, name);
const args = (out: string, ...more: string[]) => freshRun(at(out), ...more, ...tinyOverrides(STEPS), ...SMALL);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'franca-ranks-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const stepsOf = async (out: string) =>
  (await readMetrics(join(at(out), 'metrics.jsonl')).catch(() => [])).filter((row) => 'loss' in row);

/** Resolves when `step` stands in the log of a run that is under way. */
async function untilStep(out: string, step: number, { done }: StartedRanks): Promise<void> {
  let ended = false;
  done.then(() => {
    ended = true;
  });
  while (!ended && !(await stepsOf(out)).some((row) => row.step >= step))
    await new Promise((resolve) => setTimeout(resolve, 10));
}

/** The exact bits of a run's newest checkpoint. */
const bitsOf = (out: string) => newestTensors(at(out));

/** Figures that count time or memory, which no two runs have in common. */
const PACE = /per_second|wait|memory/;

describe.skipIf(!hasMpirun())('two ranks', () => {
  let whole: { status: number | null; output: string };
  beforeAll(async () => {
    whole = await startRanks(2, args('whole')).done;
    expect(whole.status, whole.output).toBe(0);
  }, 300_000);

  test('rank 0 prints, and they compute what one rank does, to rounding', async () => {
    expect(whole.output.split('step 0: 20-NN')).toHaveLength(2);
    const alone = await run(...args('alone', 'franca.gpus=2'));
    expect(alone.status, alone.output).toBe(0);
    expect(alone.output).toContain('1 rank: 8 images each of the 2 x 4 that the run is written for');
    const [rows, expected] = await Promise.all([stepsOf('whole'), stepsOf('alone')]);
    expect(rows.map((row) => row.step)).toEqual(expected.map((row) => row.step));
    // sums over other groups of summands: a few f32 roundings of 6e-8 each, which six small steps hardly enlarge
    for (const [i, row] of expected.entries())
      for (const [name, value] of Object.entries(row))
        if (!PACE.test(name)) expect(differenceOf(rows[i]![name], value), `${name} ${row.step}`).toBeLessThan(1e-5);
    const teacher = (out: string) => readSafetensors(join(at(out), 'teacher.safetensors')).tensors;
    for (const [name, { data }] of teacher('alone')) {
      const shared = teacher('whole').get(name)!.data as Float32Array;
      const worst = (data as Float32Array).reduce((most, value, k) => Math.max(most, Math.abs(value - shared[k]!)), 0);
      // attention does not depend on the bias of keys: its gradient is rounding alone, and AdamW makes steps of up to the learning rate of it
      expect(worst, name).toBeLessThan(name.endsWith('qkv.bias') ? 2e-3 : 1e-5);
    }
    expect(await knnOf('whole')).toEqual(await knnOf('alone'));
  });

  test('SIGUSR1 to one stops both with a checkpoint, a kill ends both; resumed, they end with the bits of a run that was left alone', async () => {
    const stopped = startRanks(2, args('stopped'));
    await untilStep('stopped', 2, stopped);
    process.kill(stopped.pidOf(1), 'SIGUSR1');
    const { status, output } = await stopped.done;
    expect(status, output).toBe(0);
    expect(output).toMatch(/rank 1 of 2, \S+, was asked to stop: saving a checkpoint/);
    expect(output).toMatch(/stopped after step \d of 6; continue after step \d with: mpirun -n 2 .* --resume --out/);

    const killed = startRanks(2, args('stopped', '--resume'));
    await untilStep('stopped', 4, killed);
    process.kill(killed.pidOf(1), 'SIGKILL');
    const end = await killed.done;
    expect(end.status, end.output).not.toBe(0);
    expect(end.output).toMatch(/franca-train: rank 1 .* is gone/);
    expect(end.output).toMatch(/continue after step \d with: mpirun -n 2 .* --resume --out/);

    const resumed = await startRanks(2, args('stopped', '--resume')).done;
    expect(resumed.status, resumed.output).toBe(0);
    expect(await bitsOf('stopped')).toEqual(await bitsOf('whole'));
  }, 300_000);

  test('an error that all have is told once, without a trace of the folder', async () => {
    const { status, output } = await startRanks(2, ['pretrain', '--resume', '--out', at('none')]).done;
    expect(status, output).toBe(2);
    expect(output.split('holds no run to resume')).toHaveLength(2);
  });
});

const knnOf = async (out: string) => JSON.parse(await readFile(join(at(out), 'outcome.json'), 'utf8')).knn;

/** Relative where the value is above 1. */
const differenceOf = (value: unknown, expected: unknown): number =>
  value === expected ? 0 : Math.abs(Number(value) - Number(expected)) / Math.max(1, Math.abs(Number(expected)));
