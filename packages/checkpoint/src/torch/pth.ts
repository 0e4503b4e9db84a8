/** A `.pth` file of `torch.save`, read without Python: a zip with one pickle and the bytes of each storage. */
import { type Dtype, elementCount, elementSize, type TensorData, toFloat32, viewAs } from '../dtype';
import { CheckpointError, quote } from '../errors';
import { sniffFormat } from '../file-format';
import { openRandomAccess, type RandomAccessFile } from '../random-access';
import { findTensor, resolveRange, type TensorFile, type TensorInfo } from '../tensor-source';
import { unpickle } from './pickle';
import { type TorchTensor, torchHooks } from './torch-objects';
import { type PickleLeaves, walkPickle } from './walk-pickle';
import { openZip, type ZipEntry, type ZipFile } from './zip';

/** A `.pth` file: its tensors under dotted paths (`teacher.backbone.cls_token`), and everything else beside them. */
export interface PthFile extends TensorFile {
  /** Numbers, strings, booleans and null under their dotted paths: `iteration`, `optimizer.param_groups.0.lr`. */
  readonly values: ReadonlyMap<string, number | bigint | string | boolean | null>;
}

export interface PthOptions {
  /** Globals (`argparse.Namespace`) to let through as inert data, beyond those that tensors need. Nothing is ever run. */
  readonly inert?: readonly string[];
}

/** Names and shapes of a large model take some hundred kilobytes. */
const MAX_PICKLE_BYTES = 16 * 2 ** 20;

/**
 * Opens a file of `torch.save` (PyTorch 1.6 or later). Only its directory and its pickle are read; tensors are read when
 * asked, gathered where they are not contiguous. No code in the file is executed: see `pickle.ts`.
 *
 * @throws CheckpointError `unsafe-pickle` naming the global; `bad-format`, `bad-header`, `too-large`, `truncated`, `corrupt`
 */
export async function openPth(path: string, options: PthOptions = {}): Promise<PthFile> {
  const file = await openRandomAccess(path);
  try {
    return await readArchive(file, options);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readArchive(file: RandomAccessFile, { inert = [] }: PthOptions): Promise<PthFile> {
  await refuseLegacy(file);
  const zip = await openZip(file);
  const { root, pickle } = findPickle(zip, file.path);
  await checkByteOrder(zip, root, file.path);
  if (pickle.size > MAX_PICKLE_BYTES) {
    throw new CheckpointError(
      'too-large',
      `${file.path}: its pickle has ${pickle.size} bytes; no checkpoint needs that`,
    );
  }
  const { tensors: found, values } = parse(await zip.read(pickle), inert, file.path);
  const tensors = new Map<string, StridedTensor>();
  for (const [name, tensor] of found) tensors.set(name, locate(name, tensor, zip, root, file));
  const read: PthFile['read'] = async (name, range) => {
    const tensor = findTensor(tensors, name, file.path);
    return readStrided(zip, tensor, resolveRange(name, tensor.byteLength / elementSize(tensor.dtype), range));
  };
  const readFloat32: PthFile['readFloat32'] = async (name, range) =>
    toFloat32(findTensor(tensors, name, file.path).dtype, await read(name, range));
  const { path, close } = file;
  return { path, metadata: {}, tensors, values, read, readFloat32, close, [Symbol.asyncDispose]: close };
}

function parse(bytes: Uint8Array, inert: readonly string[], path: string): PickleLeaves {
  try {
    return walkPickle(unpickle(bytes, torchHooks(inert)), bytes.length);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new CheckpointError(error.code, `${path}: ${error.message}`, { cause: error });
  }
}

async function refuseLegacy(file: RandomAccessFile): Promise<void> {
  if ((await sniffFormat(file)) !== 'legacy-torch') return;
  const advice =
    're-save it in Python with torch.save(torch.load(path, weights_only=True), path), PyTorch 1.6 or later';
  throw new CheckpointError('bad-format', `${file.path} is in the format of torch.save before PyTorch 1.6; ${advice}`);
}

/** torch puts everything into one folder, named after the file or `archive`. */
function findPickle(zip: ZipFile, path: string): { root: string; pickle: ZipEntry } {
  const names = [...zip.entries.keys()];
  const pickles = names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const pickle = zip.entries.get(pickles[0] ?? '');
  if (names.some((name) => name.endsWith('/constants.pkl'))) {
    const advice = 'save model.state_dict() with torch.save instead';
    throw new CheckpointError('bad-format', `${path} is a TorchScript program, not weights; ${advice}`);
  }
  if (pickle && pickles.length === 1) return { root: pickle.name.slice(0, -'data.pkl'.length), pickle };
  const found = `it has ${pickles.length} entries named */data.pkl, a file of torch.save has one`;
  throw new CheckpointError('bad-format', `${path} is a zip file but not of torch.save: ${found}`);
}

async function checkByteOrder(zip: ZipFile, root: string, path: string): Promise<void> {
  const entry = zip.entries.get(`${root}byteorder`);
  if (!entry || entry.size > 16) return;
  const order = new TextDecoder().decode(await zip.read(entry));
  if (order === 'little') return;
  throw new CheckpointError(
    'bad-format',
    `${path} was written on a ${quote(order)}-endian machine; only little is read`,
  );
}

/** A tensor with the zip entry that holds its storage. */
interface StridedTensor extends TensorInfo {
  readonly entry: ZipEntry;
  readonly offset: number;
  readonly stride: readonly number[];
}

function locate(name: string, tensor: TorchTensor, zip: ZipFile, root: string, file: RandomAccessFile): StridedTensor {
  const { storage, offset, shape, stride } = tensor;
  const { dtype, key, elements } = storage;
  const fail = (what: string) => new CheckpointError('bad-header', `${file.path}: tensor ${quote(name)} ${what}`);
  const entry = zip.entries.get(`${root}data/${key}`);
  if (!entry) throw fail(`refers to storage ${quote(key)}, which is not in the file`);
  if (entry.size !== elements * elementSize(dtype)) {
    throw fail(`refers to ${elements} ${dtype} elements in storage ${quote(key)}, which has ${entry.size} bytes`);
  }
  const byteLength = elementCount(shape)! * elementSize(dtype);
  if (byteLength > file.size && byteLength > entry.size) {
    throw fail(`of shape [${shape}] repeats ${elements} elements into more bytes than the file has`);
  }
  return { name, dtype, shape, byteLength, entry, offset, stride };
}

async function readStrided(
  zip: ZipFile,
  { dtype, shape, stride, offset, entry }: StridedTensor,
  { start, end }: { start: number; end: number },
): Promise<TensorData> {
  const width = elementSize(dtype);
  const length = (end - start) * width;
  if (length === 0) return viewAs(dtype, new ArrayBuffer(0));
  if (isContiguous(shape, stride))
    return viewAs(dtype, (await zip.read(entry, (offset + start) * width, length)).buffer);
  const span = shape.reduce((sum, extent, axis) => sum + (extent - 1) * stride[axis]!, 1);
  const stored = viewAs(dtype, (await zip.read(entry, offset * width, span * width)).buffer);
  return gather(dtype, stored, stridedIndices(shape, stride, start, end), end - start);
}

function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Positions of row-major elements `[start, end)` relative to the view's first, counted like an odometer. */
function* stridedIndices(
  shape: readonly number[],
  stride: readonly number[],
  start: number,
  end: number,
): Generator<number> {
  const counter = shape.map(() => 0);
  let rest = start;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    counter[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  let position = counter.reduce((sum, index, axis) => sum + index * stride[axis]!, 0);
  for (let element = start; element < end; element++) {
    yield position;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += stride[axis]!;
      counter[axis]!++;
      if (counter[axis]! < shape[axis]!) break;
      position -= counter[axis]! * stride[axis]!;
      counter[axis] = 0;
    }
  }
}

function gather(dtype: Dtype, stored: TensorData, indices: Iterable<number>, count: number): TensorData {
  const out = viewAs(dtype, new ArrayBuffer(count * elementSize(dtype)));
  let to = 0;
  for (const from of indices) out[to++] = stored[from]!;
  return out;
}
