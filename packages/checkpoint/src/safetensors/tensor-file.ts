/** Safetensors read lazily from bytes of any kind: the header at once, tensors or ranges of them when asked. */
import type { ByteSource } from '../byte-source';
import { elementSize, toFloat32, viewAs } from '../dtype';
import { CheckpointError } from '../errors';
import { sniffFormat } from '../file-format';
import { foreignFile } from '../foreign-files';
import { type ElementRange, findTensor, resolveRange, type TensorFile } from '../tensor-source';
import { MAX_HEADER_BYTES, parseHeader, type SafetensorsHeader } from './header';

/**
 * Reads and checks the header of safetensors; the tensors are read (whole or in ranges) when asked. Closes `source` where it is none.
 *
 * @throws CheckpointError `format`, `header`, `too-large`, `truncated`
 */
export async function readSafetensors(source: ByteSource): Promise<TensorFile> {
  try {
    return tensorFile(source, await readHeader(source));
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function readHeader(file: ByteSource): Promise<SafetensorsHeader> {
  const { path, size } = file;
  if (size < 10) throw await foreignFile(file, 'safetensors file');
  const prefix = await file.read(0, 9);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > size - 8 && prefix[8] !== 0x7b) throw await otherFormat(file);
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

/** The error for a file that is read, but not as safetensors, and for one that is not. */
async function otherFormat(file: ByteSource): Promise<CheckpointError> {
  switch (await sniffFormat(file)) {
    case 'zip':
    case 'legacy-torch': {
      const wayOut =
        'openCheckpoint of @franca/checkpoint reads it in Node; for a browser write it as .safetensors once';
      return new CheckpointError('format', `${file.path} is a zip or a file of torch.save; ${wayOut}`);
    }
    case 'json':
      return new CheckpointError(
        'format',
        `${file.path} is JSON; openSharded reads the index of a model in several files`,
      );
    default:
      return foreignFile(file, 'safetensors file');
  }
}

function tensorFile(file: ByteSource, { metadata, tensors }: SafetensorsHeader): TensorFile {
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
  const { path, notes, close } = file;
  return { path, metadata, notes, tensors, read, readFloat32, close, [Symbol.asyncDispose]: close };
}
