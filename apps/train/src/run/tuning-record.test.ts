import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Gpu, TuningReport } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeTuning, takeTuning, tuningNotes, writeTuning } from './tuning-record';

const NOTHING: TuningReport = {
  choices: { pinned: 0, table: 0, cache: 0, shipped: 0, measured: 0, default: 0 },
  seconds: 0,
  unmeasured: 0,
  lost: 0,
  wrong: [],
};

describe('the kernel choices of a run', () => {
  let folder: string;
  let gpu: Gpu;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'franca-tuning-'));
    gpu = await openGpu({ adapter: 'software', tuning: new Map([['product', 'flat']]) });
    gpu.tuning.made.set('product', { variant: 'tall', origin: 'measured' });
    await writeTuning(folder, gpu);
  });
  afterAll(async () => {
    await gpu.dispose();
    await rm(folder, { recursive: true });
  });
  const file = () => join(folder, 'tuning.json');

  test('stand in its folder with where each came from', async () => {
    expect(JSON.parse(await readFile(file(), 'utf8'))).toMatchObject({
      adapter: expect.stringMatching(/./),
      version: expect.stringMatching(/^\d/),
      choices: { product: 'tall' },
      origins: { product: 'measured' },
    });
  });
  test('are taken over when it goes on, whatever the cache says by now', async () => {
    await using later = await openGpu({ adapter: 'software', tuning: new Map([['product', 'flat']]) });
    expect(await takeTuning(folder, later)).toEqual([]);
    expect(later.tuning.made.get('product')).toEqual({ variant: 'tall', origin: 'table' });
  });
  test('are left on another adapter, or where the file is damaged, which is said', async () => {
    await using later = await openGpu({ adapter: 'software' });
    const text = await readFile(file(), 'utf8');
    await writeFile(file(), text.replace('"adapter": "', '"adapter": "Another '));
    expect(await takeTuning(folder, later)).toEqual([
      expect.stringMatching(/tuning\.json is of the adapter Another .*; kernels are chosen anew.*not bit for bit/),
    ]);
    await writeFile(file(), text.slice(0, 30));
    expect(await takeTuning(folder, later)).toEqual([expect.stringMatching(/^warning: .* is no table of kernel/)]);
    expect(later.tuning.made.size).toBe(0);
    await writeFile(file(), text);
  });
  test('of a run without such a file are made as if it were new', async () => {
    expect(await takeTuning(join(folder, 'nowhere'), gpu)).toEqual([]);
  });
});

test('one line says where the kernels come from, and notes what was not as it should be', () => {
  expect(describeTuning(NOTHING)).toBeUndefined();
  expect(tuningNotes(NOTHING)).toEqual([]);
  const report: TuningReport = {
    ...NOTHING,
    choices: { ...NOTHING.choices, measured: 40, cache: 90, default: 24 },
    seconds: 60.04,
    unmeasured: 20,
    lost: 2,
    wrong: ['product: tall'],
  };
  expect(describeTuning(report)).toBe(
    'kernel choices: 40 measured in 60.0 s, 90 measured before, 20 by default, as the time for measuring was used up, 4 by default',
  );
  expect(tuningNotes(report)).toEqual([
    expect.stringMatching(/^20 kernel choices are not measured/),
    expect.stringMatching(/^2 kernels that the run was computed by are no more/),
    expect.stringMatching(/^warning: kernels that compute something else .*: product: tall$/),
  ]);
});
