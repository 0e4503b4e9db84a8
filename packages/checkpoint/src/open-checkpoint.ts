/** Weights of any format that this package reads, recognised by content. */
import { CheckpointError } from './errors';
import { sniffFormat } from './file-format';
import { openRandomAccess } from './random-access';
import { openSafetensors } from './safetensors/reader';
import { openSharded } from './safetensors/sharded';
import type { TensorFile } from './tensor-source';
import { openPth, type PthOptions } from './torch/pth';

/**
 * Opens weights of any format that this package reads, by content and not by extension: `.safetensors`, the
 * `.safetensors.index.json` of a sharded model, or a `.pth` of `torch.save`.
 *
 * @throws CheckpointError `bad-format` for any other file, saying what it seems to be and what to do
 */
export async function openCheckpoint(path: string, options: PthOptions = {}): Promise<TensorFile> {
  switch (await formatOf(path)) {
    case 'zip':
    case 'legacy-torch':
      return openPth(path, options);
    case 'json':
      return openSharded(path);
    case 'gzip':
    case 'tar':
      throw new CheckpointError(
        'bad-format',
        `${path} is an archive; unpack it first: unpackWeights(path, folder), or in a shell: cat PARTS | tar xz`,
      );
    default:
      return openSafetensors(path);
  }
}

async function formatOf(path: string): Promise<Awaited<ReturnType<typeof sniffFormat>>> {
  await using file = await openRandomAccess(path);
  return sniffFormat(file);
}
