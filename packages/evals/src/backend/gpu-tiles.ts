/**
 * Rows in blocks of one size, since plans on a device have fixed shapes; the last block is filled up. Sizes are
 * multiples of 64, which suits the tiles of every matrix kernel.
 */
import type { Matrix } from '../matrix';

const ROW_MULTIPLE = 64;

/** Size of the fewest blocks of about `limit` rows at most: one size for all, a multiple of 64. */
export function evenBlocks(rows: number, limit: number): number {
  const count = Math.max(1, Math.ceil(rows / limit));
  return Math.ceil(Math.max(1, rows / count) / ROW_MULTIPLE) * ROW_MULTIPLE;
}

/** Rows `begin` to `begin + size` of a matrix; those past its end are zero. A view where they are all there. */
export function blockOf({ data, cols }: Matrix, begin: number, size: number): Float32Array {
  const rows = data.subarray(begin * cols, (begin + size) * cols);
  if (rows.length === size * cols) return rows;
  const padded = new Float32Array(size * cols);
  padded.set(rows);
  return padded;
}

/** Collects streamed rows into blocks of `size` rows and hands each to `flush` when it is full. */
export interface RowStream {
  add(rows: Matrix): Promise<void>;
  /** Hands over what has come since the last full block, if anything. */
  finish(): Promise<void>;
}

/** `flush` gets a block `[size, cols]` of which the first `count` rows are new; the others are zero. */
export function rowStream(
  size: number,
  cols: number,
  flush: (block: Float32Array, count: number) => Promise<void>,
): RowStream {
  const block = new Float32Array(size * cols);
  let filled = 0;

  async function finish(): Promise<void> {
    if (filled === 0) return;
    const count = filled;
    filled = 0;
    block.fill(0, count * cols);
    await flush(block, count);
  }

  return {
    finish,
    async add({ data, rows }) {
      for (let begin = 0; begin < rows; ) {
        const end = Math.min(rows, begin + size - filled);
        block.set(data.subarray(begin * cols, end * cols), filled * cols);
        filled += end - begin;
        begin = end;
        if (filled === size) await finish();
      }
    },
  };
}
