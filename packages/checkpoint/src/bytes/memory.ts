/** Bytes in memory and Blobs (a file that a page was given), read by position. A Blob is read as it is asked for. */
import { type ByteSource, byteSource } from '../byte-source';
import { CheckpointError } from '../errors';

/** Bytes of an `ArrayBuffer`, or of a view of one. */
export function memoryBytes(data: ArrayBuffer | ArrayBufferView, path: string): ByteSource {
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(bytes.subarray(offset, offset + length));
  return byteSource({ path, size: bytes.byteLength, read });
}

/** Bytes of a Blob. */
export function blobBytes(blob: Blob, path: string, notes: readonly string[] = []): ByteSource {
  const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    try {
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    } catch (cause) {
      const wayOut = 'it may have changed on disk since it was chosen; choose it again';
      throw new CheckpointError('inaccessible', `cannot read ${path}: ${String(cause)}; ${wayOut}`, { cause });
    }
  };
  return byteSource({ path, size: blob.size, notes, read });
}
