import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { latestRunCheckpoint, listRunCheckpoints, lockRun } from '../src/index';
import { seededInteger, temporaryFolder } from './support';

const program = fileURLToPath(new URL('./save-for-ever.ts', import.meta.url));

/** Starts a process that saves one checkpoint after another, kills it after `delay` ms, and returns the last step it reported. */
async function saveUntilKilled(run: string, delay: number): Promise<number> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, run], { stdio: ['ignore', 'pipe', 'inherit'] });
  let reported = 0;
  for await (const line of createInterface(child.stdout)) {
    if (reported === 0) setTimeout(() => child.kill('SIGKILL'), delay);
    reported = Number(line);
  }
  if (child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  return reported;
}

test('killed at any moment, the last checkpoint that was reported is there and whole', async () => {
  const run = join(temporaryFolder(), 'run');
  const integer = seededInteger(7);
  for (let round = 0; round < 6; round++) {
    const reported = await saveUntilKilled(run, integer(120));
    const { checkpoint, rejected } = await latestRunCheckpoint(run);
    expect(rejected).toEqual([]);
    expect(checkpoint!.step).toBeGreaterThanOrEqual(reported);
    expect(checkpoint!.state(1, (value) => value)).toEqual({ step: checkpoint!.step });
    await using file = await checkpoint!.openTensors('student');
    expect(new Set(await file.readFloat32('w'))).toEqual(new Set([checkpoint!.step]));
  }
  // The dead owner's lock does not stand in the way, and nothing but checkpoints is left.
  await using _lock = await lockRun(run);
  expect((await listRunCheckpoints(run)).length).toBeLessThanOrEqual(3);
});
