import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectError, temporaryFolder } from '../../test/support';
import { lockRun } from './lock';

let runs = 0;
const folder = temporaryFolder();
const newRun = () => join(folder, `run-${++runs}`);

function placeLock(run: string, content: unknown): void {
  mkdirSync(join(run, 'run.lock'), { recursive: true });
  writeFileSync(join(run, 'run.lock', 'owner.json'), typeof content === 'string' ? content : JSON.stringify(content));
}

/** Id of a process that is gone. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid!;
}

test('a second run in the same folder is refused until the first has released it', async () => {
  const run = newRun();
  const lock = await lockRun(run);
  await expectError(lockRun(run), 'locked', new RegExp(`in use by process ${process.pid};.*choose another folder`));
  await lock.release();
  await lock.release();
  await (await lockRun(run)).release();
  expect(readdirSync(run)).toEqual([]);
});

test('the lock of a process that is gone is taken over, and its half-written checkpoints removed', async () => {
  const run = newRun();
  placeLock(run, { host: hostname(), pid: await deadPid(), started: '1', token: 'x' });
  mkdirSync(join(run, 'checkpoints', '.tmp-step-7-1-abcd'), { recursive: true });
  mkdirSync(join(run, 'checkpoints', '.deleted-abcd'));
  mkdirSync(join(run, 'checkpoints', 'step-00000001'));
  await using _lock = await lockRun(run);
  expect(readdirSync(join(run, 'checkpoints'))).toEqual(['step-00000001']);
});

test.skipIf(process.platform !== 'linux')(
  'a process id that was reused does not keep the lock (needs /proc)',
  async () => {
    const run = newRun();
    placeLock(run, { host: hostname(), pid: process.pid, started: 'long ago', token: 'x' });
    await using _lock = await lockRun(run);
  },
);

test('the lock of another machine is respected', async () => {
  const run = newRun();
  placeLock(run, { host: 'elsewhere', pid: 1, started: '', token: 'x' });
  await expectError(lockRun(run), 'locked', /process 1 on elsewhere; if it is gone, delete .*run\.lock/);
});

test.each([['not JSON'], ['null'], [{ host: hostname() }], [{ pid: 'x' }]])(
  'a lock of nobody (%j) is taken over',
  async (content) => {
    const run = newRun();
    placeLock(run, content);
    await using _lock = await lockRun(run);
  },
);

test('of several that find a dead lock exactly one takes it over', async () => {
  for (let round = 0; round < 5; round++) {
    const run = newRun();
    placeLock(run, { host: hostname(), pid: await deadPid(), started: '1', token: 'x' });
    const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => lockRun(run)));
    const won = attempts.filter((attempt) => attempt.status === 'fulfilled');
    expect(won).toHaveLength(1);
    const owner = JSON.parse(readFileSync(join(run, 'run.lock', 'owner.json'), 'utf8')) as { pid: number };
    expect(owner.pid).toBe(process.pid);
    for (const attempt of attempts) {
      if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({ code: 'locked' });
    }
  }
});
