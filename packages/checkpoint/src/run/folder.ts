/** The folder of a run: which checkpoints lie in it, and how one is removed without ever looking like a whole one. */
import { randomBytes } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { requirePath } from '../arguments';
import { explained, explainFileError } from '../explain-file';

/** A checkpoint folder, by its name alone: nothing in it has been read. */
export interface RunCheckpointPath {
  readonly path: string;
  readonly step: number;
  /** Counts up when a step is saved again. */
  readonly revision: number;
}

/** Checkpoints of a run, oldest first; empty where there are none. Half-written ones have other names. */
export async function listRunCheckpoints(runFolder: string): Promise<RunCheckpointPath[]> {
  requirePath(runFolder, 'listing checkpoints');
  const folder = join(runFolder, 'checkpoints');
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw explainFileError('read', folder, error);
  });
  const found = names.flatMap((name) => {
    const [, step, revision = '0'] = /^step-(\d{8,15})(?:\.(\d{1,6}))?$/.exec(name) ?? [];
    return step === undefined ? [] : [{ path: join(folder, name), step: Number(step), revision: Number(revision) }];
  });
  return found.sort((a, b) => a.step - b.step || a.revision - b.revision);
}

/** Deletes a checkpoint folder, out of sight first, so that a kill halfway leaves nothing that looks like a checkpoint. */
export async function removeCheckpoint(path: string): Promise<void> {
  const hidden = join(dirname(path), `.deleted-${randomBytes(4).toString('hex')}`);
  await explained('write', path, async () => {
    await rename(path, hidden);
    await rm(hidden, { recursive: true, force: true });
  });
}

/** Removes what killed runs left behind in a run folder; only the owner of its lock may call it. */
export async function removeLeftovers(runFolder: string): Promise<void> {
  const folder = join(runFolder, 'checkpoints');
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (/^\.(tmp|deleted)-/.test(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}
