/** The two formats of `torch.save`, in common: a decoded pickle, and the bytes of each storage. */
import { CheckpointError } from '../errors';
import type { PickleValue } from './pickle-values';

export interface TorchContents {
  readonly root: PickleValue;
  /** Bytes of the pickle, which bound the work that is done for it. */
  readonly pickleBytes: number;
  /** Classes and functions that it names and that are data here. */
  readonly inert: ReadonlySet<string>;
  readonly storages: StorageBytes;
}

/** Storages by their keys. */
export interface StorageBytes {
  /** Bytes of a storage; undefined where the file has none of that key. */
  size(key: string): number | undefined;
  read(key: string, start: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Names and shapes of a large model take some hundred kilobytes. */
export const MAX_PICKLE_BYTES: number = 16 * 2 ** 20;

/** Runs `decode`, and says in its errors which file it was. */
export function namingFile<T>(path: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new CheckpointError(error.code, `${path}: ${error.message}`, { cause: error });
  }
}

/** @throws CheckpointError `format` for a big-endian machine's file */
export function checkByteOrder(order: string, path: string): void {
  if (order === 'little') return;
  throw new CheckpointError('format', `${path} was written on a ${order}-endian machine; only little is read`);
}
