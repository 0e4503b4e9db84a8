/** Features in a parquet file: a row an image, with lists of numbers, and what is known about them as key-value metadata. */
import { totalmem } from 'node:os';
import { openParquetTable, type ParquetTable } from '@franca/data';
import { hashFile } from '@franca/evals/node';
import { TrainError } from '../../errors';
import { amountOfBytes } from '../../text/amounts';
import { expectedArrays, FILE_OUTPUTS, type FileOutput, nameOf, type RawArray, type RawFeatures } from './raw-features';

/** A column is decoded as a whole and held, as rows of parquet cannot be read alone; it may take this share of memory. */
const MEMORY_SHARE = 0.5;

/** @throws DataError as `openParquetTable`; TrainError `data` */
export async function openParquetFeatures(path: string): Promise<RawFeatures> {
  const table = await openParquetTable(path);
  try {
    const { columns, texts } = table;
    const column = (name: string) => columns.find((one) => one.name === name);
    const arrays = new Map<FileOutput, RawArray>();
    for (const output of FILE_OUTPUTS) {
      const name = nameOf(output, (one) => column(one)?.isText === false);
      if (name !== undefined) arrays.set(output, await columnOf(path, table, name, texts[`${output} shape`]));
    }
    const labels = nameOf('labels', (name) => column(name) !== undefined);
    const images = nameOf('images', (name) => column(name)?.isText === true);
    return {
      ...{ path, arrays, texts, close: table.close },
      hash: await hashFile(path),
      names: images === undefined ? undefined : (await textsOf(table, images)).map((name, row) => name ?? `row ${row}`),
      labels: labels === undefined ? undefined : await labelsOf(table, labels, column(labels)!.isText),
      expected: expectedArrays(columns.map(({ name }) => name)),
    };
  } catch (error) {
    await table.close();
    throw error;
  }
}

async function textsOf({ groups, strings }: ParquetTable, column: string): Promise<(string | undefined)[]> {
  const all: (string | undefined)[] = [];
  for (const group of groups.keys()) for (const text of await strings(column, group)) all.push(text);
  return all;
}

/** Numbers stay numbers, which are places in a list of classes where there is one. */
async function labelsOf(
  table: ParquetTable,
  column: string,
  isText: boolean,
): Promise<(number | string | undefined)[]> {
  const texts = await textsOf(table, column);
  return isText ? texts : texts.map((text) => (text === undefined ? undefined : Number(text)));
}

/** A column of lists of one length; `shape`: extents of one of them as JSON, where it is said. */
async function columnOf(
  path: string,
  table: ParquetTable,
  column: string,
  shape: string | undefined,
): Promise<RawArray> {
  const no = (what: string): TrainError => new TrainError('data', `${path}: ${column} ${what}`);
  const { groups, rows } = table;
  const first = groups.findIndex((length) => length > 0);
  const width = first < 0 ? 0 : (await table.numbers(column, first)).offsets[1]!;
  const room = MEMORY_SHARE * totalmem();
  if (4 * rows * width > room)
    throw no(
      `takes ${amountOfBytes(4 * rows * width)} of memory, of which ${amountOfBytes(room)} may be taken; an .npz or .safetensors is read row by row`,
    );
  let whole: Promise<Float32Array> | undefined;
  const decode = async (): Promise<Float32Array> => {
    const all = new Float32Array(rows * width);
    let row = 0;
    for (const group of groups.keys()) {
      const { numbers, offsets } = await table.numbers(column, group);
      for (let i = 0; i + 1 < offsets.length; i++)
        if (offsets[i + 1]! - offsets[i]! !== width)
          throw no(`has ${offsets[i + 1]! - offsets[i]!} numbers in row ${row + i} and ${width} in the first`);
      all.set(numbers, row * width);
      row += offsets.length - 1;
    }
    return all;
  };
  return {
    shape: [rows, ...extentsOf(shape, width)],
    async read(begin, end) {
      whole ??= decode();
      return (await whole).slice(begin * width, end * width);
    },
  };
}

/** What the file says of the shape of a list, where its numbers are as many; else one extent. */
function extentsOf(shape: string | undefined, width: number): number[] {
  const extents = /^\d{1,6}(,\d{1,6}){0,3}$/.test(shape ?? '') ? shape!.split(',').map(Number) : [width];
  return extents.reduce((product, extent) => product * extent, 1) === width ? extents : [width];
}
