/** What a verdict on f16 means for a run; the verdicts are written by hand, on a software adapter that says it is a GPU. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Gpu, type HalfKernelCheck, halfKernelTexts } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { tinyOverrides } from '../../test/tiny-run';
import { derive } from '../config/derive';
import { loadConfig } from '../config/load';
import { judge, keepVerdict, verdictPath } from '../doctor/half-verdict';
import { planPretraining } from '../plan/plan-pretraining';
import { machineOf } from './sound-halves';

const cache = mkdtempSync(join(tmpdir(), 'franca-sound-'));
vi.stubEnv('XDG_CACHE_HOME', cache);
let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu({ adapter: 'software', target: { family: 'gpu' } });
});
afterAll(async () => {
  await gpu.dispose();
  rmSync(cache, { recursive: true });
});

const right: HalfKernelCheck = { checked: 60, failures: [], uncovered: [], seconds: 12.34 };
const wrong: HalfKernelCheck = {
  ...right,
  failures: [
    { kernel: 'matmul+gelu', site: 'vit.ts:1:1', problem: 'gives NaN at 0', difference: undefined, tolerance: 1e-3 },
  ],
};

const configOf = (precision: 'auto' | 'f16' | 'f32') =>
  loadConfig(['gpu-small'], [...tinyOverrides(4), `franca.precision=${precision}`]).config;

/** The machine of a run, and what is said of it, once this is known of the step's kernels. */
async function settle(precision: 'auto' | 'f16' | 'f32', outcome: HalfKernelCheck) {
  const plan = planPretraining(derive(configOf('f16'), { size: 1, rank: 0, f16: true }), gpu.target);
  const path = verdictPath(gpu.target.name, halfKernelTexts(plan));
  await keepVerdict(path, gpu.target.name, async () => outcome);
  const notes: string[] = [];
  const machine = await machineOf(configOf(precision), gpu, { adapter: 'software', note: (text) => notes.push(text) });
  return { f16: machine.f16, notes };
}

test('kernels that are right are trained with, and what was checked is said', async () => {
  const { f16, notes } = await settle('auto', right);
  expect(f16).toBe(true);
  expect(notes).toEqual([
    expect.stringMatching(/^60 f16 kernels checked against f32 on .* in 12\.3 s, none is wrong$/),
  ]);
});

test('wrong ones make auto f32, with a warning that names them', async () => {
  const { f16, notes } = await settle('auto', wrong);
  expect(f16).toBe(false);
  expect(notes).toEqual([
    expect.stringMatching(/^warning: .*1 are wrong on this driver \(matmul\+gelu: gives NaN at 0\).*computes in f32$/),
  ]);
});

test('and refuse f16 that was asked for, with the way out', async () => {
  await expect(settle('f16', wrong)).rejects.toMatchObject({
    code: 'device',
    message: expect.stringMatching(/matmul\+gelu: gives NaN.*use franca\.precision=f32/),
  });
});

test('a run in f32 asks for no verdict', async () => {
  expect(await settle('f32', wrong)).toEqual({ f16: true, notes: [] });
});

test('what is not covered is counted and named; an unfinished check is not sound', () => {
  const uncovered = ['a', 'b', 'c', 'd'].map((kernel) => ({ kernel, site: '', reason: 'no room' }));
  const verdict = { ...right, uncovered, adapter: 'a card', date: '2026-01-02T00:00:00Z' };
  expect(judge(verdict, 'x.json').text).toMatch(/; 4 not covered \(a: no room; b: no room; c: no room, and 1 more\)$/);
  expect(judge('unfinished', 'x.json')).toEqual({
    sound: false,
    text: expect.stringMatching(/did not come to its end.*delete x\.json to try again/),
  });
});
