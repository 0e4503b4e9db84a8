import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectError, temporaryFolder } from '../../test/support';
import type { JsonValue } from '../json-value';
import type { TensorEntry } from '../tensor-source';
import { listRunCheckpoints } from './folder';
import { latestRunCheckpoint, loadRunCheckpoint } from './load';
import { pruneRunCheckpoints } from './prune';
import { saveRunCheckpoint } from './save';

let runs = 0;
const folder = temporaryFolder();
const newRun = () => join(folder, `run-${++runs}`);

const tensor = (value: number): TensorEntry => ({
  name: 'w',
  dtype: 'f32',
  shape: [3],
  data: Float32Array.of(value, 2, 3),
});

function save(run: string, step: number, state: JsonValue = { cursor: step }): Promise<string> {
  const tensors = { student: [tensor(step)], optimizer: [tensor(-step)] };
  return saveRunCheckpoint(run, { step, state, stateVersion: 3, tensors });
}

const stepsOf = async (run: string) => (await listRunCheckpoints(run)).map(({ step }) => step);
const asIs = <T>(value: T): T => value;

test('tensors and state come back as they were saved', async () => {
  const run = newRun();
  const state = {
    cursor: 17,
    loss: 0.1,
    text: '\u2028"',
    nothing: null,
    minusZero: -0,
    list: [1e-300, true],
    left: undefined,
  };
  const path = await save(run, 1000, state);
  expect(path).toBe(join(run, 'checkpoints', 'step-00001000'));
  const checkpoint = await loadRunCheckpoint(path);
  expect(checkpoint).toMatchObject({ path, step: 1000, groups: ['student', 'optimizer'] });
  const { left, ...kept } = state;
  expect(checkpoint.state(3, asIs)).toEqual(kept);
  await using file = await checkpoint.openTensors('optimizer');
  expect([...(await file.read('w'))]).toEqual([-1000, 2, 3]);
  await expectError(
    checkpoint.openTensors('teacher'),
    'missing-tensor',
    /no group "teacher"; it has student, optimizer/,
  );
});

test('state of an older version is handed to its owner with that version, of a newer one refused', async () => {
  const checkpoint = await loadRunCheckpoint(await save(newRun(), 1));
  expect(checkpoint.state(4, (_, savedVersion) => savedVersion)).toBe(3);
  await expectError(() => checkpoint.state(2, asIs), 'version', /version 3, this program knows 2/);
});

const lossy: [what: string, value: unknown, message: RegExp][] = [
  ['NaN', { ema: [1, Number.NaN] }, /state\.ema\[1\] is the number NaN/],
  ['Infinity', { best: Number.POSITIVE_INFINITY }, /state\.best/],
  ['a bigint', { seed: 1n }, /state\.seed is the bigint 1/],
  ['a typed array', { state: { key: new Uint32Array(2) } }, /state\.state\.key is a Uint32Array/],
  ['a Map', new Map(), /state is a Map/],
  ['undefined in a list', [undefined], /state\[0\] is the undefined/],
];

test.each(lossy)('state that JSON would change is refused: %s', async (_, value, message) => {
  const run = newRun();
  await expectError(save(run, 1, value as JsonValue), 'argument', message);
  expect(await stepsOf(run)).toEqual([]);
});

test('a step or a group name that is none is refused', async () => {
  await expectError(save(newRun(), 1.5), 'argument', /1\.5/);
  const tensors = { '../x': [tensor(1)] };
  await expectError(
    saveRunCheckpoint(newRun(), { step: 1, state: null, stateVersion: 1, tensors }),
    'argument',
    /"\.\.\/x"/,
  );
});

test('the newest is found, also where steps have different numbers of digits', async () => {
  const run = newRun();
  for (const step of [900, 123_456_789, 1000]) await save(run, step);
  expect(await stepsOf(run)).toEqual([900, 1000, 123_456_789]);
  expect((await latestRunCheckpoint(run)).checkpoint?.step).toBe(123_456_789);
});

test('a run without checkpoints has no latest one', async () => {
  expect(await latestRunCheckpoint(newRun())).toEqual({ checkpoint: undefined, rejected: [] });
});

test('half-written checkpoints are not seen', async () => {
  const run = newRun();
  const path = await save(run, 1);
  const half = join(run, 'checkpoints', '.tmp-step-2-123-abcd');
  mkdirSync(half);
  writeFileSync(join(half, 'manifest.json'), readFileSync(join(path, 'manifest.json')));
  expect(await stepsOf(run)).toEqual([1]);
});

const damages: [what: string, damage: (path: string) => void, message: RegExp][] = [
  ['a flipped bit in a tensor', (path) => flip(join(path, 'student.safetensors'), -3), /student.safetensors.*SHA-256/],
  ['a truncated file', (path) => truncateSync(join(path, 'optimizer.safetensors'), 50), /50 bytes instead of/],
  ['a changed state', (path) => flip(join(path, 'state.json'), 12), /state\.json.*SHA-256/],
  ['a manifest of another step', (path) => editManifest(path, '"step": 2', '"step": 3'), /manifest is of step 3/],
  ['a manifest without its state', (path) => editManifest(path, 'state.json', 'stale.json'), /does not list/],
  ['a manifest that points elsewhere', (path) => editManifest(path, 'student.safe', '../../safe'), /does not list/],
  ['a manifest of another format', (path) => editManifest(path, '"version": 1', '"version": 9'), /version 9/],
  ['a cut manifest', (path) => truncateSync(join(path, 'manifest.json'), 40), /not JSON/],
  ['an empty manifest', (path) => truncateSync(join(path, 'manifest.json'), 0), /not JSON/],
];

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[(at + bytes.length) % bytes.length]! ^= 1;
  writeFileSync(file, bytes);
}

function editManifest(path: string, from: string, to: string): void {
  const file = join(path, 'manifest.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
}

test.each(damages)('%s is detected, and the previous checkpoint is offered', async (_, damage, message) => {
  const run = newRun();
  await save(run, 1);
  const damaged = await save(run, 2);
  damage(damaged);
  await expectError(loadRunCheckpoint(damaged), 'corrupt', message);
  const { checkpoint, rejected } = await latestRunCheckpoint(run);
  expect(checkpoint?.step).toBe(1);
  expect(rejected).toMatchObject([{ path: damaged, error: { code: 'corrupt' } }]);
});

test('saving a step again replaces it once the new one is complete', async () => {
  const run = newRun();
  await save(run, 5, 'old');
  await save(run, 5, 'new');
  await save(run, 5, 'newest');
  expect(readdirSync(join(run, 'checkpoints'))).toHaveLength(1);
  expect((await latestRunCheckpoint(run)).checkpoint?.state(3, asIs)).toBe('newest');
});

test('the last K and every N are kept', async () => {
  const run = newRun();
  for (let step = 100; step <= 1000; step += 100) await save(run, step);
  const removed = await pruneRunCheckpoints(run, { last: 2, every: 400 });
  expect(removed).toHaveLength(6);
  expect(await stepsOf(run)).toEqual([400, 800, 900, 1000]);
  await pruneRunCheckpoints(run, { last: 1 });
  expect(await stepsOf(run)).toEqual([1000]);
  expect(readdirSync(join(run, 'checkpoints'))).toEqual(['step-00001000']);
});

test.each([[{ last: 0 }], [{ last: 1.5 }], [{ last: 1, every: 0 }]])('the policy %o is refused', async (policy) => {
  const run = newRun();
  await save(run, 1);
  await expectError(pruneRunCheckpoints(run, policy), 'argument', /counts from 1/);
  expect(await stepsOf(run)).toEqual([1]);
});
