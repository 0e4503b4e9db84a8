/** Tensors one after another in a file, each by a write of its own: together they may be larger than any buffer. */
import { type FileHandle, open } from 'node:fs/promises';

/** What one write takes, bytes; the system's limit is 2 GiB. */
const PIECE = 2 ** 28;

export interface TensorFile extends AsyncDisposable {
  /** Appends values; returns where they begin, in elements of 4 bytes. */
  append(values: Float32Array): Promise<number>;
}

/** A file of f32 that begins with `skipped` elements of nothing (default 0; they take no room on the disk). */
export async function createTensorFile(path: string, skipped = 0): Promise<TensorFile> {
  const file = await open(path, 'w');
  let elements = skipped;
  return {
    async append(values) {
      const first = elements;
      elements += values.length;
      await writeAll(file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 4 * first);
      return first;
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(PIECE, bytes.length - done);
    done += (await file.write(bytes, done, length, position + done)).bytesWritten;
  }
}
