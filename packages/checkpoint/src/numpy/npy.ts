/** NumPy's `.npy` and `.npz` on disk: one array, and a zip archive of several by name, as `np.save`, `np.savez` and `np.savez_compressed` write them. */
import type { ByteSource } from '../byte-source';
import { CheckpointError, quote } from '../errors';
import { openRandomAccess } from '../random-access';
import { openZip, type ZipEntry, type ZipFile } from '../torch/zip';
import { type ArrayFile, arrayFile, type StoredArray } from './array-file';

/**
 * Opens a `.npy`, whose one array is called `array`. Numbers of either byte order and of rows or columns first are read, and texts; pickled objects never.
 *
 * @throws CheckpointError `not-found`, `inaccessible`, `format`, `header`, `too-large`, `truncated`
 */
export async function openNpy(path: string): Promise<ArrayFile> {
  const file = await openRandomAccess(path, 'openNpy');
  return closingOnError(file, () => arrayFile(file, [{ name: 'array', size: file.size, read: file.read }]));
}

/**
 * Opens a `.npz`: the arrays by their names without `.npy`. Stored arrays are read where they lie; compressed ones are inflated when they are first asked for,
 * and kept until the file is closed.
 *
 * @throws CheckpointError `not-found`, `inaccessible`, `format`, `header`, `too-large`, `truncated`
 */
export async function openNpz(path: string): Promise<ArrayFile> {
  const file = await openRandomAccess(path, 'openNpz');
  return closingOnError(file, async () => {
    const zip = await openZip(file);
    const arrays = [...zip.entries.values()].filter(({ name }) => !name.endsWith('/'));
    const foreign = arrays.find(({ name }) => !name.endsWith('.npy'));
    if (arrays.length === 0 || foreign)
      throw new CheckpointError(
        'format',
        `${path} is no .npz: ${foreign ? `it holds ${quote(foreign.name)}, which is no .npy` : 'it is an empty zip'}`,
      );
    return arrayFile(
      file,
      arrays.map((entry) => storedArray(zip, entry, path)),
    );
  });
}

/** What one array may inflate to, in memory. */
const MAX_INFLATED = 2 ** 31;

function storedArray(zip: ZipFile, entry: ZipEntry, path: string): StoredArray {
  const { size, stored } = entry;
  const name = entry.name.slice(0, -'.npy'.length);
  if (stored) return { name, size, read: (offset, length) => zip.read(entry, offset, length) };
  if (size > MAX_INFLATED)
    throw new CheckpointError(
      'too-large',
      `${path}: ${quote(name)} inflates to ${size} bytes, which are not held in memory; save it with np.savez, which does not compress`,
    );
  let inflated: Promise<Uint8Array<ArrayBuffer>> | undefined;
  const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    inflated ??= zip.read(entry);
    const bytes = await inflated;
    if (offset + length <= bytes.length) return bytes.slice(offset, offset + length);
    throw new CheckpointError('truncated', `${path}: ${quote(name)} has ${bytes.length} bytes; copy it again`);
  };
  return { name, size, read };
}

async function closingOnError<T>(file: ByteSource, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await file.close();
    throw error;
  }
}
