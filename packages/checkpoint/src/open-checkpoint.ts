/** Weights of any format that this package reads, recognised by content. */
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { requirePath } from './arguments';
import { sniffFormat } from './file-format';
import { foreignFile, loneShard, SHARD } from './foreign-files';
import { openRandomAccess } from './random-access';
import { openSafetensors } from './safetensors/reader';
import { openSharded } from './safetensors/sharded';
import type { TensorFile } from './tensor-source';
import { openPth } from './torch/pth';

/**
 * Opens weights of any format that this package reads, by content and not by extension: `.safetensors`, a `.pth` of
 * `torch.save`, or the `.index.json` of a model in several such files.
 *
 * @throws CheckpointError `format` for any other file, saying what it seems to be and what to do; `not-found`, `inaccessible`, `argument`
 */
export async function openCheckpoint(path: string): Promise<TensorFile> {
  requirePath(path, 'openCheckpoint');
  const shard = SHARD.exec(path);
  if (shard && Number(shard[2]) > 1) throw loneShard(path, await indexBeside(path));
  return openFormat(path, (index) => openSharded(index, openShard));
}

const openShard = (path: string): Promise<TensorFile> =>
  openFormat(path, async (index) => {
    await using file = await openRandomAccess(index);
    throw await foreignFile(file, 'file of weights');
  });

async function openFormat(path: string, openJson: (path: string) => Promise<TensorFile>): Promise<TensorFile> {
  await using file = await openRandomAccess(path);
  switch (await sniffFormat(file)) {
    case 'zip':
    case 'legacy-torch':
      // awaited here: while the file is closed, an error would have no one to catch it
      return await openPth(path);
    case 'json':
      return await openJson(path);
    case 'safetensors':
      return await openSafetensors(path);
    default:
      throw await foreignFile(file, 'file of weights that is known');
  }
}

async function indexBeside(path: string): Promise<string | undefined> {
  const names = await readdir(dirname(path)).catch((): string[] => []);
  const index = names.filter((name) => name.endsWith('.index.json')).sort()[0];
  return index === undefined ? undefined : join(dirname(path), index);
}
