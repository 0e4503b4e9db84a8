/**
 * Soft labels of a memory of patches, stored sparsely. Most patches lie inside one object and hold one class, hardly any
 * more than three, so a row is its classes and their shares: 4 bytes and 6 for each class, in place of 4 for each class
 * that there is. The reference's memory of 10,240,000 patches with 151 classes takes 6.2 GB dense.
 */
import { checkOption } from '../errors';

/** Rows of shares of classes; those of row `r` are the entries `starts[r]` (included) to `starts[r + 1]` (excluded). */
export interface LabelMemory {
  readonly rows: number;
  readonly classes: number;
  readonly starts: Uint32Array;
  /** Class of each entry, ascending in a row. */
  readonly entries: Uint16Array;
  /** Its share of the patch, above 0. */
  readonly shares: Float32Array;
}

export interface LabelMemoryBuilder {
  /** Adds the given rows of dense labels `[patches, classes]`. */
  add(dense: Float32Array, rows: ArrayLike<number>): void;
  build(): LabelMemory;
}

/** Starts an empty memory, or goes on with one. */
export function labelMemory(classes: number, before?: LabelMemory): LabelMemoryBuilder {
  let starts = before?.starts ?? new Uint32Array(1024);
  let entries = before?.entries ?? new Uint16Array(1024);
  let shares = before?.shares ?? new Float32Array(1024);
  let rows = before?.rows ?? 0;
  let used = before?.entries.length ?? 0;
  return {
    add(dense, chosen) {
      starts = grown(starts, rows + chosen.length + 1);
      entries = grown(entries, used + chosen.length * classes);
      shares = grown(shares, used + chosen.length * classes);
      for (let i = 0; i < chosen.length; i++) {
        const from = chosen[i]! * classes;
        for (let c = 0; c < classes; c++) {
          const share = dense[from + c]!;
          if (share === 0) continue;
          entries[used] = c;
          shares[used++] = share;
        }
        starts[++rows] = used;
      }
    },
    build: () => ({
      rows,
      classes,
      starts: starts.subarray(0, rows + 1),
      entries: entries.subarray(0, used),
      shares: shares.subarray(0, used),
    }),
  };
}

/** Room for so many entries, as `starts` and arrays can count them. */
const MOST_ENTRIES = 2 ** 32 - 1;

/** The same numbers with room for `length`, a quarter as much again where it has to grow. */
function grown<T extends Uint32Array | Uint16Array | Float32Array>(data: T, length: number): T {
  if (length <= data.length) return data;
  checkOption(
    length <= MOST_ENTRIES,
    `the memory has more than ${MOST_ENTRIES} shares of classes; bound it: give memory`,
  );
  const room = Math.min(MOST_ENTRIES, Math.max(length, Math.ceil(1.25 * data.length)));
  const larger = new (data.constructor as new (length: number) => T)(room);
  larger.set(data);
  return larger;
}
