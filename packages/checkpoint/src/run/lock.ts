/**
 * Ownership of a run folder. Two runs in one would overwrite each other's checkpoints, so a run owns it through `run.lock`,
 * which names the owner's machine, process and that process's start time (process ids are reused). The lock of a process
 * that is gone is taken over. It is a folder, made complete under another name and renamed: renaming onto a folder that is
 * not empty fails on every file system, so exactly one of several newcomers succeeds. Removing a dead lock is guarded by a
 * second one, held for a moment, so that nobody removes the lock that another newcomer has just placed.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { requirePath } from '../arguments';
import { CheckpointError } from '../errors';
import { explained } from '../explain-file';
import { removeLeftovers } from './folder';

/** Ownership of a run folder. */
export interface RunLock extends AsyncDisposable {
  readonly path: string;
  /** Gives the folder free. */
  release(): Promise<void>;
}

interface Owner {
  readonly host: string;
  readonly pid: number;
  /** Start of the process in clock ticks since boot; empty where the system does not tell. */
  readonly started: string;
  readonly token: string;
}

/**
 * Makes this process the owner of `runFolder`, which is created if need be, and removes what a killed run left half-written.
 *
 * @throws CheckpointError `locked` where another live process owns it, or one on another machine that cannot be asked
 */
export async function lockRun(runFolder: string): Promise<RunLock> {
  requirePath(runFolder, 'lockRun');
  await explained('write', runFolder, () => mkdir(runFolder, { recursive: true }));
  const path = resolve(runFolder, 'run.lock');
  const { started = '' } = await processStatus(process.pid);
  const owner: Owner = { host: hostname(), pid: process.pid, started, token: newToken() };
  while (!(await explained('write', path, () => place(path, owner)))) {
    const holder = await readOwner(path);
    if (holder && (await isAlive(holder))) throw locked(runFolder, path, holder);
    if (holder) await removeDeadLock(path, holder);
  }
  await removeLeftovers(runFolder);
  const release = async () => {
    if ((await readOwner(path))?.token === owner.token) await removeLock(path);
  };
  return { path, release, [Symbol.asyncDispose]: release };
}

function newToken(): string {
  return randomBytes(8).toString('hex');
}

/** Creates the lock with its content, at once. False where there is one. */
async function place(path: string, owner: Owner): Promise<boolean> {
  const draft = `${path}.${owner.token}`;
  await mkdir(draft);
  try {
    await writeFile(join(draft, 'owner.json'), JSON.stringify(owner));
    await rename(draft, path);
    return true;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // What a folder in the way is called on Linux, on macOS and on Windows.
    if (['ENOTEMPTY', 'EEXIST', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Removes the lock from its name at once, then from the disk. */
async function removeLock(path: string): Promise<void> {
  const removed = `${path}.${newToken()}`;
  await rename(path, removed);
  await rm(removed, { recursive: true, force: true });
}

/** Who holds the lock; undefined where it has just been released. An unreadable lock is held by nobody. */
async function readOwner(path: string): Promise<Owner | undefined> {
  const text = await readFile(join(path, 'owner.json'), 'utf8').catch(() => undefined);
  if (text === undefined && !(await exists(path))) return undefined;
  const nobody: Owner = { host: hostname(), pid: 0, started: '', token: text ?? '' };
  try {
    return { ...nobody, ...JSON.parse(text ?? '') };
  } catch {
    return nobody;
  }
}

async function isAlive({ host, pid, started }: Owner): Promise<boolean> {
  if (host !== hostname()) return true;
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const status = await processStatus(pid);
  // A killed process that its parent has not collected keeps its id, as a zombie.
  if (status.state === 'Z' || status.state === 'X') return false;
  return status.started === undefined || status.started === started;
}

/** State and start time (fields 3 and 22) from /proc, where there is one. The second field, the command, may hold spaces. */
async function processStatus(pid: number): Promise<{ state?: string; started?: string }> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  const fields = line?.slice(line.lastIndexOf(')') + 2).split(' ') ?? [];
  return { state: fields[0], started: fields[19] };
}

async function removeDeadLock(path: string, dead: Owner): Promise<void> {
  const guard = `${path}.takeover`;
  if (await placeGuard(guard)) {
    try {
      if ((await readOwner(path))?.token === dead.token) await removeLock(path);
    } finally {
      await rm(guard, { recursive: true, force: true });
    }
    return;
  }
  await sleep(20);
  // The guard is held for a moment; one that is seconds old was left by a process that died in it.
  const placed = await stat(guard).catch(() => undefined);
  if (placed && Date.now() - placed.mtimeMs > 10_000) await rm(guard, { recursive: true, force: true });
}

async function placeGuard(guard: string): Promise<boolean> {
  try {
    await mkdir(guard);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function locked(runFolder: string, path: string, { host, pid }: Owner): CheckpointError {
  const other = host !== hostname();
  const who = `process ${pid}${other ? ` on ${host}` : ''}`;
  const advice = other ? `if it is gone, delete ${path}` : 'wait for it, stop it, or choose another folder';
  return new CheckpointError('locked', `${runFolder} is in use by ${who}; ${advice}`);
}
