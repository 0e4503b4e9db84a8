/** Arrays written as NumPy's `.npy` and `.npz`, piece by piece: no more than one piece is in memory, and archives may be of any size. */
import { type WrittenFile, writeFileAtomic } from '../atomic-write';
import type { Sink } from '../byte-source';
import { CheckpointError, quote } from '../errors';
import { checkEntries, writeEntry } from '../safetensors/stream';
import type { TensorEntry } from '../tensor-source';
import { encodeNpyHeader, npyType } from './npy-header';
import { zipStream } from './zip-stream';

/** A list of texts to be written, or one text of no dimension, as `np.array('text')` is. */
export interface TextEntry {
  readonly name: string;
  readonly texts: string | readonly string[];
}

/**
 * Writes one array as a `.npy` as a whole, see `writeFileAtomic`.
 * @throws CheckpointError `argument` (shape, data of another length, bf16, which NumPy has not), `not-found`, `inaccessible`, `disk-full`
 */
export async function writeNpy(path: string, entry: Omit<TensorEntry, 'name'>): Promise<WrittenFile> {
  const [checked] = checkEntries([{ ...Object(entry), name: 'array' }]);
  return writeFileAtomic(path, npyStream(checked!));
}

/**
 * Writes arrays as a `.npz` as a whole, uncompressed, asking each entry for its data in turn.
 * @throws CheckpointError as `writeNpy`
 */
export async function writeNpz(path: string, entries: Iterable<TensorEntry | TextEntry>): Promise<WrittenFile> {
  const all = [...entries];
  const tensors = checkEntries(all.filter((entry): entry is TensorEntry => !isTexts(entry)));
  const names = new Set(all.map(({ name }) => name));
  const odd = [...names].find((name) => typeof name !== 'string' || !/^[^/\\]+$/.test(name));
  if (names.size < all.length || odd !== undefined)
    throw new CheckpointError(
      'argument',
      odd === undefined ? 'cannot write two arrays of one name' : `cannot write an array called ${quote(String(odd))}`,
    );
  const streams = [
    ...all.filter(isTexts).map((entry) => [entry.name, textStream(entry)] as const),
    ...tensors.map((entry) => [entry.name, npyStream(entry)] as const),
  ];
  return writeFileAtomic(path, zipStream(streams.map(([name, write]) => ({ name: `${name}.npy`, write }))));
}

const isTexts = (entry: TensorEntry | TextEntry): entry is TextEntry => 'texts' in Object(entry);

function npyStream(entry: TensorEntry): (sink: Sink) => Promise<void> {
  const type = npyType(entry.dtype);
  if (type === undefined)
    throw new CheckpointError(
      'argument',
      `cannot write ${quote(entry.name)} as ${entry.dtype}, which NumPy does not have`,
    );
  return async (sink) => {
    await sink(encodeNpyHeader(type, entry.shape));
    await writeEntry(entry, sink);
  };
}

/** Texts that are encoded at a time. */
const TEXTS_AT_ONCE = 4096;

/** Texts in UTF-32, each as long as the longest. */
function textStream({ texts }: TextEntry): (sink: Sink) => Promise<void> {
  const list = typeof texts === 'string' ? [texts] : texts;
  const longest = list.reduce((most, text) => Math.max(most, [...text].length), 1);
  return async (sink) => {
    await sink(encodeNpyHeader(`<U${longest}`, typeof texts === 'string' ? [] : [list.length]));
    for (let from = 0; from < list.length; from += TEXTS_AT_ONCE) {
      const some = list.slice(from, from + TEXTS_AT_ONCE);
      const points = new Uint32Array(some.length * longest);
      for (const [i, text] of some.entries())
        points.set(
          [...text].map((letter) => letter.codePointAt(0)!),
          i * longest,
        );
      await sink(new Uint8Array(points.buffer));
    }
  };
}
