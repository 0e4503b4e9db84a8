/** A safetensors file, read lazily: its header when it is opened, tensors or ranges of them when asked. */
import { elementSize, toFloat32, viewAs } from '../dtype';
import { CheckpointError } from '../errors';
import { openRandomAccess, type RandomAccessFile } from '../random-access';
import { type ElementRange, findTensor, resolveRange, type TensorFile } from '../tensor-source';
import { MAX_HEADER_BYTES, parseHeader, type SafetensorsHeader } from './header';

/**
 * Opens a `.safetensors` file: reads and checks its header, and reads tensors (or ranges of them) only when asked.
 *
 * @throws CheckpointError `not-found`, `bad-format`, `bad-header`, `too-large`, `truncated`
 */
export async function openSafetensors(path: string): Promise<TensorFile> {
  const file = await openRandomAccess(path);
  try {
    return tensorFile(file, await readHeader(file));
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readHeader(file: RandomAccessFile): Promise<SafetensorsHeader> {
  const { path, size } = file;
  if (size < 10) {
    throw new CheckpointError('bad-format', `${path} has ${size} bytes: too few for a safetensors file`);
  }
  const prefix = await file.read(0, 9);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > size - 8 && prefix[8] !== 0x7b) {
    throw new CheckpointError('bad-format', `${path} does not begin like a safetensors file; check its format`);
  }
  if (length > size - 8) {
    throw new CheckpointError('truncated', `${path} declares a header of ${length} bytes but has ${size} bytes in all`);
  }
  if (length > MAX_HEADER_BYTES) {
    const limit = `${MAX_HEADER_BYTES} bytes, room for 150,000 tensors`;
    throw new CheckpointError('too-large', `${path} declares a header of ${length} bytes; the limit is ${limit}`);
  }
  const headerBytes = Number(length);
  return parseHeader(await file.read(8, headerBytes), 8 + headerBytes, size, path);
}

function tensorFile(file: RandomAccessFile, { metadata, tensors }: SafetensorsHeader): TensorFile {
  const locate = (name: string, range: ElementRange | undefined) => {
    const { dtype, offset, byteLength } = findTensor(tensors, name, file.path);
    const width = elementSize(dtype);
    const { start, end } = resolveRange(name, byteLength / width, range);
    return { dtype, offset: offset + start * width, length: (end - start) * width };
  };
  const read: TensorFile['read'] = async (name, range) => {
    const { dtype, offset, length } = locate(name, range);
    return viewAs(dtype, (await file.read(offset, length)).buffer);
  };
  const readFloat32: TensorFile['readFloat32'] = async (name, range) =>
    toFloat32(locate(name, range).dtype, await read(name, range));
  const { path, close } = file;
  return { path, metadata, notes: [], tensors, read, readFloat32, close, [Symbol.asyncDispose]: close };
}
