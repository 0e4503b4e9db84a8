/**
 * Arrays of an HDF5 file, read piece by piece: MATLAB's files of version 7.3 are such, with 512 bytes before the beginning and the sizes of arrays in reverse.
 *
 * The HDF5 library itself reads, compiled to WebAssembly: in a memory of its own, and by ranges of the file, so that the size of the file does not matter.
 * Nothing is asked for that is larger than an entry may be, and no data that lie in another file.
 */
import { statSync } from 'node:fs';
import { DataError } from '@franca/data';

type Hdf5 = typeof import('h5wasm/node');
type Dataset = InstanceType<Hdf5['Dataset']>;

/** An array [entries, ...sizes] of numbers. */
export interface Hdf5Array {
  /** With that of the entries first. */
  readonly sizes: readonly number[];
  /** One entry, in the order of the file. @throws DataError `corrupt-image` where it cannot be read */
  read(entry: number): ArrayLike<number>;
}

export interface Hdf5File extends Disposable {
  /** Undefined where there is no array of numbers of that name with at least two sizes. @throws DataError `damaged-file` */
  array(name: string): Hdf5Array | undefined;
}

const MAX_ENTRY = 64 * 2 ** 20;

/** @throws DataError `not-found`, or `damaged-file` where the file is no HDF5 */
export async function openHdf5(path: string): Promise<Hdf5File> {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile())
    throw new DataError('not-found', `there is no file ${path}`);
  const library = await import('h5wasm/node');
  await library.ready;
  const damaged = (cause?: unknown): DataError =>
    new DataError('damaged-file', `${path} is no HDF5 file that can be read`, { cause });
  const file = attempt(() => new library.File(path, 'r'), damaged);
  // a negative handle is how the library says no
  if (file.file_id <= 0n) throw damaged();
  return {
    array(name) {
      if (!attempt(() => file.keys(), damaged).includes(name)) return undefined;
      const found = attempt(() => file.get(name), damaged);
      if (!(found instanceof library.Dataset)) return undefined;
      const numbers = attempt(() => numbersOf(found), damaged);
      if (!numbers) return undefined;
      return {
        sizes: numbers.sizes,
        read(entry) {
          const corrupt = (cause?: unknown): DataError =>
            new DataError('corrupt-image', `${path}: ${name} of frame ${entry} cannot be read`, { cause });
          const values = attempt(() => readEntry(library, found, numbers, entry), corrupt);
          if (!values) throw corrupt();
          return values;
        },
      };
    },
    [Symbol.dispose]: () => void file.close(),
  };
}

function attempt<T>(act: () => T, failure: (cause: unknown) => DataError): T {
  try {
    return act();
  } catch (error) {
    throw failure(error);
  }
}

const TYPES = {
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  i1: Int8Array,
  i2: Int16Array,
  i4: Int32Array,
  f4: Float32Array,
  f8: Float64Array,
} as const;

/** Sizes and type of numbers that lie in the file itself; undefined for anything else. */
function numbersOf({ metadata }: Dataset): { sizes: number[]; make: (typeof TYPES)[keyof typeof TYPES] } | undefined {
  const { type, size, signed, littleEndian, shape, virtual_sources } = metadata;
  const name = `${type === 1 ? 'f' : signed ? 'i' : 'u'}${size}`;
  if ((type !== 0 && type !== 1) || !littleEndian || virtual_sources !== undefined || !shape || shape.length < 2)
    return undefined;
  const entry = shape.slice(1).reduce((product, each) => product * each, 1);
  const isSane = shape.every((each) => Number.isSafeInteger(each) && each > 0) && entry <= MAX_ENTRY;
  return isSane && Object.hasOwn(TYPES, name) ? { sizes: shape, make: TYPES[name as keyof typeof TYPES] } : undefined;
}

/** Not by `Dataset.slice`, which gives what is in memory where the library cannot read. */
function readEntry(
  { Module: module }: Hdf5,
  { file_id, path }: Dataset,
  { sizes, make }: NonNullable<ReturnType<typeof numbersOf>>,
  entry: number,
): ArrayLike<number> | undefined {
  const count = sizes.slice(1).reduce((product, size) => product * size, 1);
  const bytes = count * make.BYTES_PER_ELEMENT;
  const at = module._malloc(bytes);
  if (!at) return undefined;
  try {
    const [counts, offsets] = [
      [1, ...sizes.slice(1)],
      [entry, ...sizes.slice(1).map(() => 0)],
    ];
    const strides = sizes.map(() => 1n);
    const status = module.get_dataset_data(file_id, path, counts.map(BigInt), offsets.map(BigInt), strides, BigInt(at));
    return status < 0 ? undefined : new make(module.HEAPU8.slice(at, at + bytes).buffer);
  } finally {
    module._free(at);
  }
}
