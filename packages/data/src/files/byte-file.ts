/**
 * Random access to the bytes of a file, wherever it is.
 *
 * Archives (tar, parquet, CIFAR, IDX) are read through this, so that one on disk and one behind HTTP are the same thing.
 * No handle stays open between reads: a data set may have twenty thousand shards. Every read is checked against the file's
 * real size first, so a length forged inside a file cannot make anything allocate.
 */

import { open } from 'node:fs/promises';
import { checkArgument, DataError, isImageError } from '../errors';
import { isLasting, readError } from './file-system';
import { describeVersion, regularFile } from './file-version';

export interface ByteFile {
  /** Path or URL, for messages. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Other content, other text. Where a server tells nothing of the content, another one at every opening. */
  readonly version: string;
  /** Far away, with a version that another opening finds again: what is found out about it is worth keeping. */
  readonly remote?: true;
  /** Where it lies on this machine. */
  readonly path?: string;
  /**
   * Reads exactly `length` bytes from `offset`.
   * @throws DataError damaged-file when the range lies outside the file
   */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
}

/** Refuses a range that is not inside the file. */
export function checkRange(file: { name: string; size: number }, offset: number, length: number): void {
  const inside = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!inside || offset + length > file.size) {
    throw new DataError(
      'damaged-file',
      `${file.name}: bytes ${offset}..${offset + length} are asked for, the file has ${file.size}; it is damaged or cut short`,
    );
  }
}

/**
 * Opens a file on disk.
 * @throws DataError not-found when it is not a readable regular file; file-system, from reading too, when the system refuses
 */
export async function openLocalFile(path: string): Promise<ByteFile> {
  checkArgument('openLocalFile', 'path', path, 'string');
  const info = await regularFile(path).catch((error) => {
    throw readError(path, error);
  });
  if (typeof info === 'string') throw new DataError('not-found', `${path} is not a readable file (${info})`);
  const file = { name: path, path, size: Number(info.size), version: describeVersion(info) };
  return {
    ...file,
    read: async (offset, length) => {
      checkRange(file, offset, length);
      try {
        return await readRange(path, offset, length);
      } catch (error) {
        throw readError(path, error);
      }
    },
  };
}

/** A file's bytes in memory, for data that had to be unpacked first; `version` is that of what they come from. */
export function bytesInMemory(name: string, bytes: Uint8Array, version: string): ByteFile {
  const file = { name, size: bytes.length, version };
  return {
    ...file,
    read: async (offset, length) => {
      checkRange(file, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

const MAX_IMAGE_FILE = 256 * 1024 * 1024;

/**
 * Reads one image file whole.
 * @throws DataError unreadable-image when it is gone, forbidden or no regular file; unreadable-now when reading fails; image-too-large
 * above 256 MiB
 */
export async function readImageFile(path: string): Promise<Uint8Array> {
  try {
    const info = await regularFile(path);
    if (typeof info === 'string') throw new DataError('unreadable-image', `not a readable file (${info})`);
    checkImageBytes(Number(info.size));
    return await readRange(path, 0, Number(info.size));
  } catch (error) {
    throw imageReadError(error);
  }
}

/** The failed reading of one image: whether its file is at fault, or another attempt may succeed. */
export function imageReadError(error: unknown): DataError {
  if (error instanceof DataError && isImageError(error)) return error;
  const cause = error instanceof DataError && error.code === 'file-system' ? error.cause : error;
  const lasting = cause instanceof DataError || isLasting(cause);
  return new DataError(lasting ? 'unreadable-image' : 'unreadable-now', `cannot be read: ${(error as Error).message}`, {
    cause: error,
  });
}

/** Refuses an encoded image of a size that no image has, before its bytes are read. */
export function checkImageBytes(size: number): void {
  if (size > MAX_IMAGE_FILE) {
    throw new DataError('image-too-large', `${size} bytes; images above ${MAX_IMAGE_FILE} are not read`);
  }
}

async function readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) throw new DataError('damaged-file', `${path} became shorter while it was read`);
      filled += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}
