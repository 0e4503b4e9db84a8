/**
 * Files that appear whole or not at all. A file is written under a temporary name in the same folder, synced, renamed over
 * its final name, and the folder is synced, so that neither a kill nor a power cut leaves a half-written one under that name.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CheckpointError } from './errors';

/** Appends bytes to the file that is being written; wait for one before the next. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

export interface WrittenFile {
  readonly bytes: number;
  /** Of the content, in hex, as `sha256sum` prints it. */
  readonly sha256: string;
}

/** Bytes per write call: the hash and the disk take turns, and other work of the process gets in between. */
const PIECE = 8 * 2 ** 20;

/** Writes `path` as a whole. @throws CheckpointError `disk-full`; whatever `write` throws; the old file stays then. */
export async function writeFileAtomic(path: string, write: (sink: Sink) => Promise<void>): Promise<WrittenFile> {
  const temporary = join(dirname(path), `.${basename(path)}.tmp-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    const written = await writeSynced(temporary, write);
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return written;
  } catch (error) {
    await rm(temporary, { force: true });
    throw explainDiskFull(error, path);
  }
}

/** Creates `path` (which must not exist), writes and syncs it. A failure leaves the partial file to the caller. */
export async function writeSynced(path: string, write: (sink: Sink) => Promise<void>): Promise<WrittenFile> {
  const handle = await open(path, 'wx');
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    await write(async (data) => {
      for (let at = 0; at < data.byteLength; at += PIECE) {
        const piece = data.subarray(at, at + PIECE);
        hash.update(piece);
        await writeAll(handle, piece);
      }
      bytes += data.byteLength;
    });
    await handle.sync();
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    done += (await handle.write(bytes, done, bytes.byteLength - done)).bytesWritten;
  }
}

/** Makes renames and removals in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  // Windows has no handle to sync for a folder; its file system journals the rename itself.
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Turns the errors of a full disk or quota into one that says what to do; passes on any other. */
export function explainDiskFull(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  const full = code === 'ENOSPC' ? 'the disk is full' : 'the disk quota is used up';
  const advice = 'what was saved before is untouched; free some space, or keep fewer checkpoints, and run again';
  return new CheckpointError('disk-full', `could not write ${path}: ${full}; ${advice}`, { cause: error });
}
