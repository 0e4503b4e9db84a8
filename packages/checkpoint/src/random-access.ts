/** A regular file, opened for reads by position. */
import { open, stat } from 'node:fs/promises';
import { requirePath } from './arguments';
import { type ByteSource, byteSource, truncated } from './byte-source';
import { CheckpointError } from './errors';
import { explained } from './explain-file';

/** Largest single read: libuv refuses 2 GiB and more. */
const MAX_READ = 2 ** 30;

/**
 * Opens a regular file; folders, pipes and devices are refused. `call` names who was given the path.
 * @throws CheckpointError `not-found`, `format`, `inaccessible`, `argument`
 */
export async function openRandomAccess(path: string, call = 'opening'): Promise<ByteSource> {
  requirePath(path, call);
  const status = await explained('open', path, () => stat(path));
  if (!status.isFile()) throw new CheckpointError('format', `${path} is not a regular file; name the file itself`);
  const handle = await explained('open', path, () => open(path, 'r'));
  const { size } = status;
  const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = new Uint8Array(new ArrayBuffer(length));
    for (let done = 0; done < length; ) {
      const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, MAX_READ), offset + done);
      if (bytesRead === 0) throw truncated(path, `it shrank while being read, at byte ${offset + done} of ${size}`);
      done += bytesRead;
    }
    return bytes;
  };
  return byteSource({
    path,
    size,
    read: (offset, length) => explained('read', path, () => read(offset, length)),
    close: () => handle.close(),
  });
}
