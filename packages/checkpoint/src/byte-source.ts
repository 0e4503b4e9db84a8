/**
 * Bytes that are read by position, wherever they lie: in a file, in memory, in a Blob, on a server. Every read is checked against the size before memory is taken
 * for it, so no length that a file merely claims can make the process allocate more than it holds.
 */
import { CheckpointError } from './errors';

/** Bytes by position; what lies outside is refused before memory is taken for it. */
export interface ByteSource extends AsyncDisposable {
  /** Path, address or name, for messages. */
  readonly path: string;
  /** Bytes, when it was opened. */
  readonly size: number;
  /** What else there is to know about it, in words. */
  readonly notes: readonly string[];
  /** Reads exactly `length` bytes at `offset` into fresh memory. @throws CheckpointError `truncated`, `closed` */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Appends bytes to what is being written; wait for one before the next. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

/** Where bytes come from. */
export interface ByteStore extends Pick<ByteSource, 'path' | 'size'> {
  readonly notes?: readonly string[];
  /** Reads bytes that are known to lie inside; fresh memory, which nothing else shares. */
  readonly read: ByteSource['read'];
  readonly close?: () => Promise<void>;
}

/** A source that checks what is asked for, and refuses reads once it is closed. */
export function byteSource({ path, size, notes = [], read, close = async () => {} }: ByteStore): ByteSource {
  let closed = false;
  const closeOnce = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await close();
  };
  return {
    path,
    size,
    notes,
    async read(offset, length) {
      if (closed)
        throw new CheckpointError('closed', `${path} is closed; read its tensors before that, or open it again`);
      if (!(offset >= 0 && length >= 0 && offset + length <= size))
        throw truncated(path, `bytes ${offset} to ${offset + length} lie outside its ${size} bytes`);
      return read(offset, length);
    },
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

/** The error for bytes that are not there. */
export function truncated(path: string, what: string): CheckpointError {
  return new CheckpointError('truncated', `${path} is cut short or corrupt: ${what}; copy or download it again`);
}
