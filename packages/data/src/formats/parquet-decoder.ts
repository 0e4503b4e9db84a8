/**
 * Decodes parquet files: what they hold, and the values of a column, a row group at a time.
 *
 * The work is done in a worker, which takes the unpacking off the main thread, as that has a GPU to feed, and keeps hostile
 * files within limits.
 */

import type { ByteFile } from '../files/byte-file';
import { type DecodeLimits, startParquetWorker } from './parquet-worker';

/** What a parquet file holds, as far as finding the images needs it. */
export interface ParquetDescription {
  /** Rows of each row group. */
  readonly groups: readonly number[];
  readonly columns: readonly ParquetColumn[];
  /** Free text that writers attach, e.g. `huggingface`. */
  readonly texts: Readonly<Record<string, string>>;
}

export interface ParquetColumn {
  readonly name: string;
  /** Physical type, absent for a struct. */
  readonly type?: string;
  /** True for text, as opposed to bytes. */
  readonly isText: boolean;
  /** Names of a struct's fields. */
  readonly fields: readonly string[];
}

/** Byte values of consecutive rows: row `i` is `bytes[offsets[i] .. offsets[i + 1]]`, empty where it has none. */
export interface ByteRows {
  readonly bytes: Uint8Array;
  readonly offsets: Float64Array;
}

/** Numbers of consecutive rows: those of row `i` are `numbers[offsets[i] .. offsets[i + 1]]`; NaN for one that is missing in a list, none for a missing list. */
export interface NumberRows {
  readonly numbers: Float32Array;
  readonly offsets: Float64Array;
}

export interface ParquetDecoder {
  describe(file: ByteFile, signal?: AbortSignal): Promise<ParquetDescription>;
  /** Byte values of a column (or of the `bytes` field of a struct column) in the row group of rows `[from, to)`. */
  byteRows(file: ByteFile, column: string, from: number, to: number, signal?: AbortSignal): Promise<ByteRows>;
  /** Numbers, or lists of numbers, of a column in the row group of rows `[from, to)`. */
  numberRows(file: ByteFile, column: string, from: number, to: number): Promise<NumberRows>;
  /** Values of a column as text in the row group of rows `[from, to)`; undefined where it has none. */
  texts(
    file: ByteFile,
    column: string,
    from: number,
    to: number,
    signal?: AbortSignal,
  ): Promise<(string | undefined)[]>;
  close(): Promise<void>;
}

/** Starts a decoder. The worker itself starts with the first call, and keeps the process alive only while one is under way. */
export function createParquetDecoder(limits: DecodeLimits = {}): ParquetDecoder {
  const { call, close } = startParquetWorker(limits);
  return {
    describe: async (file, signal) => (await call('describe', file, {}, signal)) as ParquetDescription,
    byteRows: async (file, column, from, to, signal) =>
      (await call('byteRows', file, { column, from, to }, signal)) as ByteRows,
    numberRows: async (file, column, from, to) => (await call('numberRows', file, { column, from, to })) as NumberRows,
    texts: async (file, column, from, to, signal) =>
      (await call('texts', file, { column, from, to }, signal)) as (string | undefined)[],
    close,
  };
}
