import type { RunCheckpoint } from '@franca/checkpoint';
import { memorySource } from '@franca/data';
import { expect, test } from 'vitest';
import { derive } from '../config/derive';
import { loadConfig } from '../config/load';
import { asTree } from '../config/tree';
import { programWords } from '../text/program';
import { type DataNow, forkData, resumeData } from './compare-data';
import type { Continuation } from './continuation';
import { recordData } from './data-record';

const data = (count: number, spec = 'photos'): DataNow => {
  const images = Array.from({ length: count }, (_, i) => ({
    key: `${i}.jpg`,
    content: { encoded: new Uint8Array(0) },
  }));
  const train = memorySource('pictures', images);
  const splits = { train, val: train, origin: '', notes: [], close: async () => {} };
  return { spec, splits, record: recordData(spec, splits) };
};

const checkpoint: RunCheckpoint = {
  path: 'run/checkpoints/step-00000003',
  step: 3,
  groups: [],
  openTensors: () => Promise.reject(new Error('not read')),
  state: () => {
    throw new Error('not read');
  },
};

function standing(seenBefore: DataNow | undefined, drawn = 12): Continuation {
  const { config } = loadConfig(['cpu-tiny'], ['train.dataset_path=photos']);
  const sampler = { length: 48, seed: 0, drawn };
  const made = seenBefore && { config: asTree(config), precision: 'f32' as const, data: seenBefore.record };
  const saved = { cursor: { sampler, badImages: { seen: drawn, bad: 1 } }, imagesSeen: drawn, secondsSpent: 1, made };
  return { run: 'my run', checkpoint, saved, config, isFork: false };
}

const options = (...overrides: string[]) => derive(loadConfig(['cpu-tiny'], overrides).config);

test('with the same pictures a run goes on where it stood', () => {
  const origin = standing(data(48));
  for (const goOn of [resumeData, forkData]) {
    const { cursor, notes } = goOn(origin, options(), data(48));
    expect([cursor, notes]).toEqual([origin.saved.cursor, []]);
  }
});

test('with others a resume is refused with the command that forks, and a fork draws from the start', () => {
  const origin = standing(data(48));
  expect(() => resumeData(origin, options(), data(47, "it's new"))).toThrow(
    `there were 48 pictures and are 47; give --data as before, or fork the run: ${programWords().join(' ')} pretrain --fork 'my run' --out 'my run-fork' --data 'it'\\''s new'`,
  );
  const { cursor, notes } = forkData(origin, options(), data(47));
  expect(cursor).toEqual({
    sampler: { length: 47, seed: 0, drawn: 0 },
    badImages: { seen: 0, bad: 0 },
  });
  expect(notes[0]).toContain('there were 48 pictures and are 47');
  expect(forkData(origin, options('train.seed=3'), data(48)).notes[0]).toContain('seed 0 -> 3');
});

test('a checkpoint that does not know its pictures is believed where their number is right, which is said', () => {
  const origin = standing(undefined);
  expect(resumeData(origin, options(), data(48)).notes[0]).toContain('taken on trust this once');
  expect(() => resumeData(origin, options(), data(47))).toThrow('the saved position has length 48, this run has 47');
  expect(forkData(origin, options(), data(48)).cursor).toEqual(origin.saved.cursor);
  expect(forkData(origin, options(), data(48, 'others')).cursor.sampler.drawn).toBe(0);
});

test('with pictures of the same keys in other shards a resume is refused, and a fork draws from the start', () => {
  const withShards = (hash: string): DataNow => {
    const now = data(48);
    const train = { ...now.splits.train, fingerprint: { files: 1, images: 48, stretches: [{ first: '0.tar', hash }] } };
    return { ...now, splits: { ...now.splits, train } };
  };
  const origin = standing(data(48));
  const { cursor } = resumeData(origin, options(), withShards('a'));
  const saved = {
    ...origin.saved,
    cursor: { ...cursor, sampler: { ...cursor.sampler, data: withShards('a').splits.train.fingerprint! } },
  };
  const before = { ...origin, saved };
  expect(resumeData(before, options(), withShards('a')).cursor).toEqual(saved.cursor);
  expect(() => resumeData(before, options(), withShards('b'))).toThrow(/shard 1 \(from 0\.tar\) holds other images/);
  const fork = forkData(before, options(), withShards('b'));
  expect([fork.cursor.sampler.drawn, fork.notes[0]]).toEqual([0, expect.stringContaining('is another one')]);
});
