/** A safetensors file on disk, written as a whole. */
import { type WrittenFile, writeFileAtomic } from '../atomic-write';
import type { TensorEntry } from '../tensor-source';
import { safetensorsStream } from './stream';

/**
 * Writes a `.safetensors` file as a whole (see `writeFileAtomic`), asking each entry for its data in turn.
 *
 * @throws CheckpointError `argument` (name, dtype, shape, or data of another length), `not-found`, `inaccessible`, `disk-full`
 */
export async function writeSafetensors(
  path: string,
  entries: Iterable<TensorEntry>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<WrittenFile> {
  const write = safetensorsStream(entries, metadata);
  return writeFileAtomic(path, write);
}
