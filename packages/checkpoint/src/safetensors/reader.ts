/** A safetensors file on disk. */
import { openRandomAccess } from '../random-access';
import type { TensorFile } from '../tensor-source';
import { readSafetensors } from './tensor-file';

/**
 * Opens a `.safetensors` file: reads and checks its header, and reads tensors (or ranges of them) only when asked.
 *
 * @throws CheckpointError `not-found`, `inaccessible`, `format`, `header`, `too-large`, `truncated`
 */
export async function openSafetensors(path: string): Promise<TensorFile> {
  return readSafetensors(await openRandomAccess(path, 'openSafetensors'));
}
