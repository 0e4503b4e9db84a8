/** A model that is split over several files on disk. */
import { dirname, join } from 'node:path';
import { openRandomAccess } from '../random-access';
import type { TensorFile } from '../tensor-source';
import { openSafetensors } from './reader';
import { readSharded } from './shards';

/**
 * Opens a model that is split over several files by its index, `*.index.json`; the shards lie beside it.
 *
 * @param open how a shard is opened: as `.safetensors`, where nothing else is said
 * @throws CheckpointError those of `open`; `missing-tensor` where a shard lacks a tensor of the index
 */
export async function openSharded(
  path: string,
  open: (path: string) => Promise<TensorFile> = openSafetensors,
): Promise<TensorFile> {
  await using index = await openRandomAccess(path, 'openSharded');
  return await readSharded(index, (fileName) => open(join(dirname(path), fileName)));
}
