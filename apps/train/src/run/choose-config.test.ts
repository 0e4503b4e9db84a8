/** For how many devices a run that goes on is written, and what is written down of it. */
import type { RunCheckpoint } from '@franca/checkpoint';
import { expect, test } from 'vitest';
import { loadConfig } from '../config/load';
import { asTree } from '../config/tree';
import { configure, recordedConfig } from './choose-config';
import { checkResume } from './compare-settings';
import { continuationOf } from './continuation';

const names = { count: 8, sha256: '', some: [] };
const { config } = loadConfig(['cpu-tiny'], ['train.batch_size_per_gpu=8', 'franca.total_batch=null']);

/** A run of cpu-tiny at step 3; `gpus` undefined: of a version that had no such setting. */
function runOf(gpus: number | undefined, isFork = false) {
  const { gpus: _, ...franca } = asTree(config).franca as Record<string, unknown>;
  const own = { ...asTree(config), franca: { ...franca, ...(gpus === undefined ? {} : { gpus }) } };
  const state = {
    cursor: { sampler: { length: 8, seed: 0, drawn: 24 }, badImages: { seen: 0, bad: 0 } },
    imagesSeen: 24,
    secondsSpent: 1,
    made: { config: own, precision: 'f32', data: { train: names, val: names, classes: names } },
  };
  const checkpoint = {
    path: 'run/checkpoints/3',
    step: 3,
    state: (_: number, parse: (value: unknown) => unknown) => parse(state),
  };
  return continuationOf(checkpoint as unknown as RunCheckpoint, 'run', isFork);
}
const words = (origin: ReturnType<typeof runOf>, overrides: string[] = [], files?: string[]) =>
  configure({ path: 'run' }, origin, overrides, files ? { config: files } : {}, () => 'cpu-tiny');
const onRanks = (size: number) => ({ machine: { size, rank: 0, f16: false }, own: 'run/config.yaml' });

test('a run of the first versions was of one device, and stays so on two ranks', () => {
  const origin = runOf(undefined);
  const resolved = words(origin);
  expect([origin.config.franca.gpus, resolved.config.franca.gpus]).toEqual([1, 1]);
  expect(() => checkResume(origin, resolved, onRanks(2))).not.toThrow();
});

test('a file that leaves the number open does not change that of the run, on any number of ranks', () => {
  const origin = runOf(4);
  const resolved = words(origin, ['train.batch_size_per_gpu=8', 'franca.total_batch=null'], ['cpu-tiny']);
  expect(resolved.config.franca.gpus).toBe(4);
  for (const size of [1, 2, 8]) expect(() => checkResume(origin, resolved, onRanks(size))).not.toThrow();
});

test('another number is another batch, which only a fork may have', () => {
  expect(() => checkResume(runOf(4), words(runOf(4), ['franca.gpus=2']), onRanks(2))).toThrow('franca.gpus 4 -> 2');
  expect(words(runOf(4, true), ['franca.gpus=auto']).config.franca.gpus).toBe('auto');
});

test('what was left open is written down as the number that it came to', () => {
  expect(recordedConfig(config, { spec: 'photos', from: undefined, gpus: 2 })).toMatchObject({
    franca: { gpus: 2 },
    train: { dataset_path: 'photos', output_dir: '.' },
  });
});
