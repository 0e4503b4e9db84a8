/**
 * Files that appear whole or not at all. A file is written under a temporary name in the same folder, synced, renamed over
 * its final name, and the folder is synced, so that neither a kill nor a power cut leaves a half-written one under that name.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { requirePath } from './arguments';
import type { Sink } from './byte-source';
import { explained, explainFullDisk } from './explain-file';

export interface WrittenFile {
  readonly bytes: number;
  /** Of the content, in hex, as `sha256sum` prints it. */
  readonly sha256: string;
}

/** Bytes per write call: the hash and the disk take turns, and other work of the process gets in between. */
const PIECE = 8 * 2 ** 20;

/** Writes `path` as a whole. @throws CheckpointError `disk-full`, `not-found`, `inaccessible`; whatever `write` throws; the old file stays then. */
export async function writeFileAtomic(path: string, write: (sink: Sink) => Promise<void>): Promise<WrittenFile> {
  requirePath(path, 'writing');
  const temporary = join(dirname(path), `.${basename(path)}.tmp-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    const written = await writeSynced(temporary, write, path);
    await explained('write', path, async () => {
      await rename(temporary, path);
      await syncFolder(dirname(path));
    });
    return written;
  } catch (error) {
    await rm(temporary, { force: true });
    throw explainFullDisk(path, error);
  }
}

/**
 * Creates `path` (which must not exist), writes and syncs it; `shown` is what messages call it. A failure leaves the partial file to the caller. Errors of `write` pass
 * as they are.
 */
export async function writeSynced(
  path: string,
  write: (sink: Sink) => Promise<void>,
  shown: string,
): Promise<WrittenFile> {
  const handle = await explained('write', shown, () => open(path, 'wx'));
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    await write(async (data) => {
      for (let at = 0; at < data.byteLength; at += PIECE) {
        const piece = data.subarray(at, at + PIECE);
        hash.update(piece);
        await explained('write', shown, () => writeAll(handle, piece));
      }
      bytes += data.byteLength;
    });
    await explained('write', shown, () => handle.sync());
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
