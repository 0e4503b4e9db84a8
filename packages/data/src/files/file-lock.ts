/**
 * Lets one process at a time do something in a shared folder.
 *
 * Several ranks start at once, and all want the same download. The lock is a file that only one process can create. Its
 * holder touches it regularly, so a lock whose holder was killed is known by its age and taken over.
 */

import { randomUUID } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { writeError } from './file-system';

export interface LockOptions {
  /** A lock that was not touched for this long has lost its holder. Default 30,000 ms. */
  readonly staleMs?: number;
  /** How often a waiting process looks. Default 250 ms. */
  readonly pollMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Runs `task` while holding `lockPath`, waiting for other holders first. */
export async function withFileLock<T>(lockPath: string, task: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const { staleMs = 30_000, pollMs = 250, signal } = options;
  await fs.mkdir(path.dirname(lockPath), { recursive: true }).catch((error) => {
    throw writeError(path.dirname(lockPath), error);
  });
  while (!(await create(lockPath))) {
    if (await isStale(lockPath, staleMs)) await takeAway(lockPath);
    else await pause(pollMs, undefined, signal ? { signal } : {});
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    fs.utimes(lockPath, now, now).catch(() => {});
  }, staleMs / 4);
  try {
    return await task();
  } finally {
    clearInterval(heartbeat);
    await fs.rm(lockPath, { force: true });
  }
}

async function create(lockPath: string): Promise<boolean> {
  try {
    await (await fs.open(lockPath, 'wx')).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw writeError(lockPath, error);
  }
}

async function isStale(lockPath: string, staleMs: number): Promise<boolean> {
  const info = await fs.stat(lockPath).catch(() => undefined);
  return info !== undefined && Date.now() - info.mtimeMs > staleMs;
}

/** Renaming first makes sure that of two waiting processes only one removes the file. */
async function takeAway(lockPath: string): Promise<void> {
  const aside = `${lockPath}.${randomUUID()}`;
  try {
    await fs.rename(lockPath, aside);
    await fs.rm(aside, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
