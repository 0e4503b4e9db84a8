/** A file of NumPy arrays: those of numbers as tensors, those of texts beside them, and why others are not read. */
import type { ByteSource } from '../byte-source';
import { type Dtype, elementCount, elementSize, toFloat32 } from '../dtype';
import { CheckpointError, quote } from '../errors';
import { findTensor, resolveRange, type TensorFile, type TensorInfo } from '../tensor-source';
import { numberReader, readTexts } from './npy-array';
import { type ReadBytes, readNpyHeader } from './npy-header';

/** An open `.npy` or `.npz`; nothing but the headers of its arrays is in memory. */
export interface ArrayFile extends TensorFile {
  /** Shapes of the arrays of texts, by name. */
  readonly texts: ReadonlyMap<string, readonly number[]>;
  /** Arrays that are not read, such as pickled objects, and what they hold, by name. */
  readonly unread: ReadonlyMap<string, string>;
  /** The texts of an array in row-major order. @throws CheckpointError `missing-tensor` */
  readTexts(name: string): Promise<string[]>;
}

/** Bytes that hold one array. */
export interface StoredArray {
  readonly name: string;
  readonly size: number;
  readonly read: ReadBytes;
}

type TensorReader = ReturnType<typeof numberReader>;

/** @throws CheckpointError `format`, `header`, `too-large`, `truncated` */
export async function arrayFile(
  { path, notes, close }: Pick<ByteSource, 'path' | 'notes' | 'close'>,
  arrays: readonly StoredArray[],
): Promise<ArrayFile> {
  const tensors = new Map<string, TensorInfo & { readonly elements: TensorReader }>();
  const texts = new Map<string, readonly number[]>();
  const textReaders = new Map<string, () => Promise<string[]>>();
  const unread = new Map<string, string>();
  for (const { name, size, read } of arrays) {
    const header = await readNpyHeader(read, size, arrays.length > 1 ? `${path}: ${quote(name)}` : path);
    const { shape, elements } = header;
    if (elements.kind === 'unread') unread.set(name, elements.what);
    else if (elements.kind === 'texts') {
      texts.set(name, shape);
      textReaders.set(name, () => readTexts(header, read));
    } else {
      const { dtype } = elements;
      const info = { name, dtype, shape, byteLength: elementCount(shape)! * elementSize(dtype) };
      tensors.set(name, { ...info, elements: numberReader(header, read) });
    }
  }
  const read: TensorFile['read'] = async (name, range) => {
    const { shape, elements } = findTensor(tensors, name, path);
    return elements(resolveRange(name, elementCount(shape)!, range));
  };
  return {
    path,
    metadata: {},
    notes: [...notes, ...[...unread].map(([name, what]) => `the array ${quote(name)} is not read: it is of ${what}`)],
    tensors,
    texts,
    unread,
    read,
    readFloat32: async (name, range) => toFloat32(dtypeOf(tensors, name), await read(name, range)),
    async readTexts(name) {
      const reader = textReaders.get(name);
      if (reader) return reader();
      const there = [...textReaders.keys()].map(quote).join(', ') || 'none';
      throw new CheckpointError('missing-tensor', `${path} has no array of texts ${quote(name)}; it has ${there}`);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const dtypeOf = (tensors: ReadonlyMap<string, TensorInfo>, name: string): Dtype => tensors.get(name)!.dtype;
