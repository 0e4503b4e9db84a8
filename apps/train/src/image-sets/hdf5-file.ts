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
      const sizes = attempt(() => numericSizes(found), damaged);
      return sizes && { sizes, read: (entry) => readEntry(found, sizes, entry, `${path} ${name} ${entry}`) };
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

/** Integers or floats of at most 8 bytes that lie in the file itself. */
function numericSizes(dataset: Dataset): number[] | undefined {
  const { type, size, shape, virtual_sources } = dataset.metadata;
  if ((type !== 0 && type !== 1) || size > 8 || virtual_sources !== undefined || !shape || shape.length < 2)
    return undefined;
  const entry = shape.slice(1).reduce((product, each) => product * each, 1);
  return shape.every((each) => Number.isSafeInteger(each) && each > 0) && entry <= MAX_ENTRY ? shape : undefined;
}

function readEntry(dataset: Dataset, sizes: readonly number[], entry: number, what: string): ArrayLike<number> {
  const corrupt = (cause?: unknown): DataError => new DataError('corrupt-image', `${what} cannot be read`, { cause });
  const values = attempt(
    () => dataset.slice([[entry, entry + 1], ...sizes.slice(1).map((size): [number, number] => [0, size])]),
    corrupt,
  );
  const count = sizes.slice(1).reduce((product, each) => product * each, 1);
  if (!ArrayBuffer.isView(values) || (values as unknown as ArrayLike<number>).length !== count) throw corrupt();
  return values as unknown as ArrayLike<number>;
}
