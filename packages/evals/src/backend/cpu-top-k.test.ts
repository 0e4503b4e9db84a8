import { expect, test } from 'vitest';
import { gaussian } from '../../test/support';
import { type Matrix, rowRange } from '../matrix';
import { openTopK } from './cpu-top-k';

async function search(queries: Matrix, bank: Matrix, k: number, tile: number) {
  using session = openTopK(queries, k);
  for (let row = 0; row < bank.rows; row += tile)
    await session.add(rowRange(bank, row, Math.min(row + tile, bank.rows)));
  return session.result();
}

function bruteForce(queries: Matrix, bank: Matrix, k: number) {
  const found = Array.from({ length: queries.rows }, (_, q) =>
    Array.from({ length: bank.rows }, (_, b) => {
      let score = 0;
      for (let d = 0; d < bank.cols; d++) score += queries.data[q * bank.cols + d]! * bank.data[b * bank.cols + d]!;
      return { score: Math.fround(score), b };
    })
      .toSorted((x, y) => y.score - x.score || x.b - y.b)
      .slice(0, k),
  ).flat();
  return { k, scores: Float32Array.from(found, ({ score }) => score), indices: Int32Array.from(found, ({ b }) => b) };
}

test.each([1, 37, 200, 1000])(
  'streaming a bank in tiles of %i rows finds what sorting all scores finds',
  async (tile) => {
    const queries = gaussian(70, 9, 1);
    const bank = gaussian(300, 9, 2);
    expect(await search(queries, bank, 20, tile)).toEqual(bruteForce(queries, bank, 20));
  },
);

test('equal scores rank by the lowest bank index, across tiles', async () => {
  const queries: Matrix = { data: Float32Array.of(1, 0), rows: 1, cols: 2 };
  const rows = [0.5, 1, 0.5, 1, 0.5, 1].flatMap((score, i) => [score, i]);
  const bank: Matrix = { data: Float32Array.from(rows), rows: 6, cols: 2 };
  expect((await search(queries, bank, 5, 2)).indices).toEqual(Int32Array.of(1, 3, 5, 0, 2));
});

test('a bank smaller than k gives all of it', async () => {
  const { k, indices } = await search(gaussian(2, 3, 1), gaussian(4, 3, 2), 10, 3);
  expect(k).toBe(4);
  expect([...indices.subarray(0, 4)].sort()).toEqual([0, 1, 2, 3]);
});

test('a bank of another width is refused', async () => {
  using session = openTopK(gaussian(2, 3, 1), 1);
  await expect(session.add(gaussian(2, 4, 1))).rejects.toMatchObject({ code: 'features' });
});
