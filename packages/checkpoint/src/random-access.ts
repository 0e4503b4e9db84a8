/**
 * A regular file opened for positional reads. Every read is checked against the file's size before memory is taken for
 * it, so no length that a file merely claims can make the process allocate more than the file holds.
 */
import { open, stat } from 'node:fs/promises';
import { CheckpointError } from './errors';

/** An open regular file; bytes outside it are refused before memory is taken for them. */
export interface RandomAccessFile extends AsyncDisposable {
  readonly path: string;
  /** Bytes, when it was opened. */
  readonly size: number;
  /** Reads exactly `length` bytes at `offset` into fresh memory. @throws CheckpointError `truncated` */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Largest single read: libuv refuses 2 GiB and more. */
const MAX_READ = 2 ** 30;

/** Opens a regular file; folders, pipes and devices are refused. @throws CheckpointError `not-found`, `bad-format` */
export async function openRandomAccess(path: string): Promise<RandomAccessFile> {
  const status = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new CheckpointError('not-found', `cannot open ${path}: ${cause.code ?? cause.message}; check the path`, {
      cause,
    });
  });
  if (!status.isFile()) throw new CheckpointError('bad-format', `${path} is not a regular file; name the file itself`);
  const handle = await open(path, 'r');
  const { size } = status;

  const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
      throw truncated(path, `bytes ${offset} to ${offset + length} lie outside its ${size} bytes`);
    }
    const bytes = new Uint8Array(new ArrayBuffer(length));
    for (let done = 0; done < length; ) {
      const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, MAX_READ), offset + done);
      if (bytesRead === 0) throw truncated(path, `it shrank while being read, at byte ${offset + done} of ${size}`);
      done += bytesRead;
    }
    return bytes;
  };
  const close = () => handle.close();
  return { path, size, read, close, [Symbol.asyncDispose]: close };
}

function truncated(path: string, what: string): CheckpointError {
  return new CheckpointError('truncated', `${path} is cut short or corrupt: ${what}; copy or download it again`);
}
