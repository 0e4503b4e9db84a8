import { expect, test } from 'vitest';
import { collect } from './features';
import { roomFor } from './matrix';

test('rows that no array can hold are refused, with what to do', () => {
  expect(() => roomFor('train', 1.28e9, 1536)).toThrow(
    /train: 1280000000 rows of 1536 numbers do not fit in one array .* pass them in batches/,
  );
  expect(roomFor('train', 2, 3)).toEqual(new Float32Array(6));
});

test('batches of two widths are not joined', async () => {
  const batch = (dim: number) => ({ dim, cls: new Float32Array(6), labels: new Int32Array(6 / dim) });
  await expect(collect('train', [batch(2), batch(3)])).rejects.toThrow(/batches of width 2 and 3/);
});
