/**
 * Downloads a file into the cache: whole and checked, or not at all.
 *
 * Bytes go to `<path>.part`, are synced, compared with the expected size and SHA-256, and only then renamed to `path`; so a file
 * under its own name is always complete. A download that broke off continues from its part (only where a checksum can
 * prove the result), whether the connection broke a second ago or the process was killed yesterday.
 */

import { createHash, type Hash } from 'node:crypto';
import { createReadStream, promises as fs } from 'node:fs';
import path from 'node:path';
import { DataError } from '../errors';
import { writeError } from './file-system';
import { type HttpOptions, networkError, request, retrying } from './http-file';

export interface Download {
  /** Where the file goes. */
  readonly path: string;
  /** For messages. */
  readonly name: string;
  /** Expected size in bytes, when it is known beforehand. */
  readonly bytes?: number | undefined;
  /** Expected SHA-256 in hex. */
  readonly sha256?: string | undefined;
  /** Opens the content at `offset`, or at the beginning when that is all the server can do. */
  open(offset: number): Promise<DownloadBody>;
}

export interface DownloadBody {
  /** Where the body begins. */
  readonly offset: number;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface DownloadOptions extends HttpOptions {
  /** Called as bytes arrive; `total` where it is known. */
  readonly onProgress?: ((done: number, total: number | undefined) => void) | undefined;
}

/**
 * Makes sure that `download.path` exists, downloading it if need be.
 * @throws DataError no-network, http-status, bad-checksum, or disk-full
 */
export async function downloadFile(download: Download, options: DownloadOptions = {}): Promise<void> {
  if (await sizeOf(download.path)) return;
  await fs.mkdir(path.dirname(download.path), { recursive: true }).catch((error) => {
    throw writeError(path.dirname(download.path), error);
  });
  await checkSpace(download);
  const part = `${download.path}.part`;
  const resumed = (await sizeOf(part)) > 0;
  try {
    await fillAndCheck(download, part, options);
  } catch (error) {
    // A part from an earlier attempt may itself be wrong: one more try without it.
    if (!resumed || !(error instanceof DataError) || error.code !== 'bad-checksum') throw error;
    await fillAndCheck(download, part, options);
  }
  await fs.rename(part, download.path);
}

/** `open` for a plain URL. */
export function httpDownload(url: string, options: HttpOptions = {}): Download['open'] {
  return async (offset) => {
    const { response, body } = await request(url, options, offset > 0 ? { range: `bytes=${offset}-` } : {});
    return { offset: response.status === 206 ? offset : 0, body };
  };
}

async function fillAndCheck(download: Download, part: string, options: DownloadOptions): Promise<void> {
  const digest = await retrying(options, () => fill(download, part, options));
  if (download.sha256 && digest !== download.sha256) {
    await fs.rm(part, { force: true });
    throw new DataError(
      'bad-checksum',
      `${download.name}: the download has SHA-256 ${digest}, expected ${download.sha256}; it was removed; ` +
        'try again; if it stays so, the file at that address is no longer the one that was published',
    );
  }
}

/** Appends to the part until it is complete; returns the SHA-256 of the whole. */
async function fill(download: Download, part: string, options: DownloadOptions): Promise<string> {
  const { bytes, name } = download;
  if (!download.sha256 || (await sizeOf(part)) > (bytes ?? Number.POSITIVE_INFINITY))
    await fs.rm(part, { force: true });
  let done = await sizeOf(part);
  let hash = await hashFile(part, done);
  if (done === bytes) return hash.digest('hex');

  const { offset, body } = await download.open(done);
  const handle = await fs.open(part, 'a').catch((error) => {
    throw writeError(part, error);
  });
  try {
    if (offset !== done) {
      await handle.truncate(0);
      hash = createHash('sha256');
      done = 0;
    }
    for await (const piece of body) {
      done += piece.length;
      if (bytes !== undefined && done > bytes)
        throw new DataError('bad-checksum', `${name}: more than the expected ${bytes} bytes`);
      hash.update(piece);
      await handle.appendFile(piece);
      options.onProgress?.(done, bytes);
    }
    await handle.sync();
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? await diskFull(part, error) : writeError(part, error);
  } finally {
    await handle.close();
  }
  if (bytes !== undefined && done < bytes) {
    throw networkError(name, new Error(`the connection ended after ${done} of ${bytes} bytes`));
  }
  return hash.digest('hex');
}

async function hashFile(file: string, size: number): Promise<Hash> {
  const hash = createHash('sha256');
  if (size > 0) for await (const piece of createReadStream(file)) hash.update(piece as Uint8Array);
  return hash;
}

async function sizeOf(file: string): Promise<number> {
  return (await fs.stat(file).catch(() => undefined))?.size ?? 0;
}

async function checkSpace({ path: target, bytes = 0, name }: Download): Promise<void> {
  const { bavail, bsize } = await fs.statfs(path.dirname(target));
  const missing = bytes - (await sizeOf(`${target}.part`)) - bavail * bsize;
  if (missing > 0) {
    throw new DataError('disk-full', `${name} needs ${missing} bytes more than are free below ${path.dirname(target)}`);
  }
}

async function diskFull(part: string, cause: unknown): Promise<DataError> {
  await fs.rm(part, { force: true });
  return new DataError(
    'disk-full',
    `the disk of ${path.dirname(part)} is full; the unfinished download was removed`,
    cause,
  );
}
