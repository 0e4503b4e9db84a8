import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { scratchFolder } from '../../test/scratch';
import { openParquetTable } from './parquet-table';

async function fileOf(write: Parameters<typeof parquetWriteBuffer>[0]): Promise<string> {
  const folder = scratchFolder();
  const path = join(folder, 'a.parquet');
  await writeFile(path, new Uint8Array(parquetWriteBuffer(write)));
  return path;
}

const LIST = [
  { name: 'cls', num_children: 1, converted_type: 'LIST', repetition_type: 'OPTIONAL' },
  { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
  { name: 'element', type: 'FLOAT', repetition_type: 'OPTIONAL' },
] as const;

test('lists, numbers and texts, group by group', async () => {
  const path = await fileOf({
    schema: [
      { name: 'root', num_children: 3 },
      ...LIST,
      { name: 'label', type: 'INT64', repetition_type: 'OPTIONAL' },
      { name: 'image', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
    ],
    columnData: [
      { name: 'cls', data: [[0.5, 1], [2, null], null, [3]] },
      { name: 'label', data: [7n, -1n, null, 2n] },
      { name: 'image', data: ['a', 'b', 'ü', null] },
    ],
    rowGroupSize: 3,
    kvMetadata: [{ key: 'model', value: 'm' }],
  });
  await using table = await openParquetTable(path);
  expect([table.rows, table.groups, table.texts]).toEqual([4, [3, 1], { model: 'm' }]);
  expect(table.columns.map(({ name, isText }) => [name, isText])).toEqual([
    ['cls', false],
    ['label', false],
    ['image', true],
  ]);
  expect(await table.numbers('cls', 0)).toEqual({
    numbers: Float32Array.of(0.5, 1, 2, Number.NaN),
    offsets: Float64Array.of(0, 2, 4, 4),
  });
  expect((await table.numbers('cls', 1)).numbers).toEqual(Float32Array.of(3));
  expect((await table.numbers('label', 0)).offsets).toEqual(Float64Array.of(0, 1, 2, 2));
  expect(await table.strings('label', 0)).toEqual(['7', '-1', undefined]);
  expect([...(await table.strings('image', 0)), ...(await table.strings('image', 1))]).toEqual([
    ...['a', 'b', 'ü'],
    undefined,
  ]);
  await expect(table.numbers('image', 0)).rejects.toThrow(/row 0 of column image holds something else than numbers/);
});

test('what is none, is refused', async () => {
  const path = await fileOf({ columnData: [{ name: 'a', data: [1] }] });
  await writeFile(path, 'text that is no parquet');
  await expect(openParquetTable(path)).rejects.toMatchObject({ code: 'damaged-file' });
  await expect(openParquetTable(`${path}.none`)).rejects.toMatchObject({ code: 'not-found' });
  await expect(openParquetTable(path, { silent: 1 } as never)).rejects.toMatchObject({ code: 'options' });
});
