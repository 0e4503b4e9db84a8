/** A parquet file as a table of numbers and texts, read a row group of one column at a time: for features and labels, not images. */
import type { OptionKinds } from '@franca/tensor';
import { checkOptions, DataError } from '../errors';
import { openLocalFile } from '../files/byte-file';
import { createParquetDecoder, type NumberRows, type ParquetColumn } from './parquet-decoder';
import type { DecodeLimits } from './parquet-worker';

/** An open parquet file; nothing but its description is in memory. */
export interface ParquetTable extends AsyncDisposable {
  readonly rows: number;
  /** Rows of each row group, which is decoded as a whole. */
  readonly groups: readonly number[];
  readonly columns: readonly ParquetColumn[];
  /** Key-value metadata. */
  readonly texts: Readonly<Record<string, string>>;
  /** Numbers, or lists of numbers, of a column in one row group. @throws DataError `damaged-file` where it has others, or cannot be decoded within limits */
  numbers(column: string, group: number): Promise<NumberRows>;
  /** Values of a column in one row group, as text; undefined where there is none. @throws DataError `damaged-file` */
  strings(column: string, group: number): Promise<(string | undefined)[]>;
  close(): Promise<void>;
}

const OPTIONS: OptionKinds<DecodeLimits> = { silentMs: 'number' };
const MAX_GROUP_ROWS = 2 ** 24;

/**
 * Opens a parquet file on disk.
 * @throws DataError `not-found`, `file-system`, `damaged-file`, `options`
 */
export async function openParquetTable(path: string, limits: DecodeLimits = {}): Promise<ParquetTable> {
  checkOptions('openParquetTable', limits, OPTIONS);
  const file = await openLocalFile(path);
  const decoder = createParquetDecoder(limits);
  try {
    const { groups, columns, texts } = await decoder.describe(file);
    const odd = groups.find((rows) => !Number.isInteger(rows) || rows < 0 || rows > MAX_GROUP_ROWS);
    if (odd !== undefined) throw new DataError('damaged-file', `${path}: a row group of ${odd} rows`);
    const firsts = groups.map((_, group) => groups.slice(0, group).reduce((sum, rows) => sum + rows, 0));
    const range = (group: number): [number, number] => [firsts[group]!, firsts[group]! + groups[group]!];
    return {
      rows: groups.reduce((sum, rows) => sum + rows, 0),
      groups,
      columns,
      texts,
      numbers: (column, group) => decoder.numberRows(file, column, ...range(group)),
      strings: (column, group) => decoder.texts(file, column, ...range(group)),
      close: decoder.close,
      [Symbol.asyncDispose]: decoder.close,
    };
  } catch (error) {
    await decoder.close();
    throw error;
  }
}
