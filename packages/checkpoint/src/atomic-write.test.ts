import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { expectError, temporaryFolder } from '../test/support';
import { writeFileAtomic } from './atomic-write';
import { latestRunCheckpoint } from './run/load';
import { saveRunCheckpoint } from './run/save';

const folder = temporaryFolder();

test('the file appears under its name only when it is whole', async () => {
  const path = join(folder, 'a');
  await writeFileAtomic(path, async (sink) => {
    await sink(Buffer.from('first '));
    expect(existsSync(path)).toBe(false);
    await sink(Buffer.from('second'));
  });
  expect(readFileSync(path, 'utf8')).toBe('first second');
  expect(readdirSync(folder)).toEqual(['a']);
});

test('a failure keeps the old file and leaves no other', async () => {
  const path = join(folder, 'a');
  writeFileSync(path, 'old');
  const failing = writeFileAtomic(path, async (sink) => {
    await sink(Buffer.from('half'));
    throw new Error('device lost');
  });
  await expect(failing).rejects.toThrow('device lost');
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['a']);
});

test('a quota that is used up is explained like a full disk', async () => {
  const failing = writeFileAtomic(join(folder, 'b'), () =>
    Promise.reject(Object.assign(new Error(), { code: 'EDQUOT' })),
  );
  await expectError(
    failing,
    'disk-full',
    /b: the disk quota is used up \(EDQUOT\); what was saved before is untouched/,
  );
});

/** A file system of 1 MiB, where this machine lets us mount one. */
const tiny = mountTiny();

function mountTiny(): string | undefined {
  const point = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', point], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  afterAll(() => execFileSync('umount', [point]));
  return point;
}

const checkpointOf = (step: number, bytes: number) => ({
  step,
  state: { step },
  stateVersion: 1,
  tensors: { student: [{ name: 'w', dtype: 'u8', shape: [bytes], data: new Uint8Array(bytes).fill(step) }] as const },
});

test.skipIf(!tiny)('a full disk keeps the old checkpoint and says so (needs the right to mount)', async () => {
  await saveRunCheckpoint(tiny!, checkpointOf(1, 400_000));
  await expectError(saveRunCheckpoint(tiny!, checkpointOf(2, 900_000)), 'disk-full', /step-00000002: the disk is full/);
  expect(readdirSync(join(tiny!, 'checkpoints'))).toEqual(['step-00000001']);
  const { checkpoint, rejected } = await latestRunCheckpoint(tiny!);
  expect([checkpoint?.step, rejected]).toEqual([1, []]);
  await saveRunCheckpoint(tiny!, checkpointOf(2, 500_000));
  expect((await latestRunCheckpoint(tiny!)).checkpoint?.step).toBe(2);
});

test('a disk that fills up while a tensor is written keeps the old checkpoint', async () => {
  const run = join(folder, 'run');
  await saveRunCheckpoint(run, checkpointOf(1, 10));
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const data = async function* () {
    yield new Uint8Array(5);
    throw full;
  };
  const tensors = { student: [{ name: 'w', dtype: 'u8', shape: [10], data }] as const };
  await expectError(saveRunCheckpoint(run, { ...checkpointOf(2, 10), tensors }), 'disk-full', /free some space/);
  expect(readdirSync(join(run, 'checkpoints'))).toEqual(['step-00000001']);
});
