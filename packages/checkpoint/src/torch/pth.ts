/** A file of `torch.save`, read without Python: a pickle that says where its tensors lie, and the bytes of their storages. */

import type { ByteSource } from '../byte-source';
import { elementCount, elementSize, toFloat32 } from '../dtype';
import { CheckpointError, quote } from '../errors';
import { sniffFormat } from '../file-format';
import { foreignFile } from '../foreign-files';
import { openRandomAccess } from '../random-access';
import { findTensor, resolveRange, type TensorFile, type TensorInfo } from '../tensor-source';
import { namingFile, type StorageBytes, type TorchContents } from './contents';
import { readLegacyContents } from './legacy-contents';
import { readStrided, type StridedView } from './strided';
import type { TorchTensor } from './torch-objects';
import { walkPickle } from './walk-pickle';
import { readZipContents } from './zip-contents';

/** A `.pth` file: its tensors under dotted paths (`teacher.backbone.cls_token`), and everything else beside them. */
export interface PthFile extends TensorFile {
  /** Numbers, strings, booleans and null under their dotted paths: `iteration`, `optimizer.param_groups.0.lr`. */
  readonly values: ReadonlyMap<string, number | bigint | string | boolean | null>;
  /** Classes and functions that the file names beside tensors (`argparse.Namespace`). They are data here; nothing was called. */
  readonly inert: readonly string[];
}

/**
 * Opens a file of `torch.save`, of PyTorch 1.6 and later (a zip) or before. Only its directory and its pickle are read; tensors
 * are read when asked, gathered where they are not contiguous. No code in the file is executed: see `pickle.ts`.
 *
 * @throws CheckpointError `unsafe-pickle` for a file that would run a command in Python, naming it; `format` for another kind of file, saying
 * which; `header`, `too-large`, `truncated`, `corrupt`
 */
export async function openPth(path: string): Promise<PthFile> {
  const file = await openRandomAccess(path, 'openPth');
  try {
    return pthFile(file, await readContents(file));
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readContents(file: ByteSource): Promise<TorchContents> {
  switch (await sniffFormat(file)) {
    case 'zip':
      return readZipContents(file);
    case 'legacy-torch':
      return readLegacyContents(file);
    default:
      throw await foreignFile(file, 'a file of torch.save');
  }
}

function pthFile(file: ByteSource, { root, pickleBytes, inert, storages }: TorchContents): PthFile {
  const { tensors: found, values, unread } = namingFile(file.path, () => walkPickle(root, pickleBytes));
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of found) tensors.set(name, locate(name, tensor, storages, file));
  const read: PthFile['read'] = async (name, range) => {
    const tensor = findTensor(tensors, name, file.path);
    const { start, end } = resolveRange(name, tensor.byteLength / elementSize(tensor.dtype), range);
    return readStrided((at, length) => storages.read(tensor.key, at, length), tensor, { start, end });
  };
  const readFloat32: PthFile['readFloat32'] = async (name, range) =>
    toFloat32(findTensor(tensors, name, file.path).dtype, await read(name, range));
  const { path, close } = file;
  const notes = [
    ...notesOn('as data, never run', [...inert]),
    ...notesOn('not read, for the type of their elements', unread),
  ];
  return {
    path,
    metadata: {},
    notes,
    tensors,
    values,
    inert: [...inert],
    read,
    readFloat32,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function notesOn(how: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const some = names.slice(0, 6).map((name) => quote(name).slice(1, -1));
  return [`${how}: ${some.join(', ')}${names.length > 6 ? ` and ${names.length - 6} more` : ''}`];
}

/** A tensor with the key of its storage. */
interface StoredTensor extends TensorInfo, StridedView {
  readonly dtype: TensorInfo['dtype'];
  readonly shape: readonly number[];
  readonly key: string;
}

function locate(name: string, tensor: TorchTensor, storages: StorageBytes, file: ByteSource): StoredTensor {
  const { storage, offset, shape, stride } = tensor;
  const { dtype, key, elements } = storage;
  const fail = (what: string) => new CheckpointError('header', `${file.path}: tensor ${quote(name)} ${what}`);
  const size = storages.size(key);
  if (size === undefined) throw fail(`refers to storage ${quote(key)}, which is not in the file`);
  if (size !== elements * elementSize(dtype)) {
    throw fail(`refers to ${elements} ${dtype} elements in storage ${quote(key)}, which has ${size} bytes`);
  }
  const byteLength = elementCount(shape)! * elementSize(dtype);
  if (byteLength > file.size && byteLength > size) {
    throw fail(`of shape [${shape}] repeats ${elements} elements into more bytes than the file has`);
  }
  return { name, dtype, shape, byteLength, key, offset, stride };
}
