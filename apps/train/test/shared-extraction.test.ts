/** Processes that compute features of one set: killed and resumed, or several at once, they leave what one in peace does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openFeatureCache } from '@franca/evals/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FeatureSession, openSession } from '../src/features/session';
import { openStored, type StoredRows } from '../src/features/stored-features';
import { openImageSets } from '../src/image-sets/image-set';
import { REQUEST, SMALL, WORLD } from './extract-features';
import { temporaryFolder, writeTinyModel } from './tiny-model';

const program = fileURLToPath(new URL('./extract-features.ts', import.meta.url));

let folder: string;
let weights: string;
let session: FeatureSession;
let inPeace: StoredRows;
beforeAll(async () => {
  folder = await temporaryFolder();
  weights = await writeTinyModel(folder);
  session = await openSession({ weights, batchSize: SMALL.batchSize, cache: join(folder, 'in peace') });
  inPeace = (await rowsIn('in peace')).rows;
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** All rows from a cache, computed where they are missing, and how many images were read for that. */
async function rowsIn(name: string, onRead = () => {}): Promise<{ rows: StoredRows; reads: number }> {
  const { train, close } = await openImageSets(WORLD);
  let reads = 0;
  const counted: typeof train = {
    ...train,
    read: (...args) => {
      reads++;
      onRead();
      return train.read(...args);
    },
  };
  await using cache = openFeatureCache(join(folder, name));
  const stored = await openStored({ ...session.extraction, ...SMALL, cache }, counted, REQUEST);
  const rows = await stored.read(0, stored.images.length);
  await close();
  return { rows, reads };
}

function start(name: string): { child: ChildProcess; lines: AsyncIterable<string> } {
  const args = ['--import', 'tsx', program, weights, join(folder, name)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  return { child, lines: createInterface(child.stdout) };
}

/** Names of all files in a cache. */
const filesIn = async (name: string): Promise<string[]> => {
  const entries = await readdir(join(folder, name), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
};

test('killed in the middle and resumed, features are those in peace to the bit', async () => {
  const { child, lines } = start('killed');
  let done = 0;
  for await (const line of lines) {
    done = Number(/^done (\d+)/.exec(line)?.[1] ?? done);
    if (done >= 6) child.kill('SIGKILL');
  }
  if (child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  const { rows, reads } = await rowsIn('killed');
  expect(rows).toEqual(inPeace);
  expect(reads).toBeGreaterThan(0);
  // what it had finished is not computed again
  expect(reads).toBeLessThanOrEqual(20 - 4);
  expect((await filesIn('killed')).filter((file) => !file.endsWith('.safetensors'))).toEqual([]);
});

test('two processes share the shards: each image is read once, and all of them are there', async () => {
  let other = 0;
  let own: ReturnType<typeof rowsIn> | undefined;
  const { child, lines } = start('shared');
  for await (const line of lines) {
    if (!own) {
      // it has begun, and waits until this one has: on a busy machine it would be done before
      child.kill('SIGSTOP');
      own = rowsIn('shared', () => void child.kill('SIGCONT'));
    }
    other = Number(/^read (\d+)/.exec(line)?.[1] ?? other);
  }
  const { rows, reads } = await own!;
  expect(rows).toEqual(inPeace);
  expect(reads).toBeGreaterThan(0);
  expect(reads + other).toBe(20);
});
