import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gaussian } from '../../test/support';
import { type Matrix, rowRange } from '../matrix';
import { openTopK as openCpuTopK } from './cpu-top-k';
import type { TopK, TopKSession } from './eval-backend';
import { openTopK } from './gpu-top-k';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

/** Streams a bank in tiles of `tile` rows. */
async function search(session: TopKSession, bank: Matrix, tile: number): Promise<TopK> {
  using open = session;
  for (let begin = 0; begin < bank.rows; begin += tile) {
    await open.add(rowRange(bank, begin, Math.min(begin + tile, bank.rows)));
  }
  return await open.result();
}

/** Small whole numbers: every product is exact in f32, and many are equal. */
const whole = (rows: number, cols: number, seed: number): Matrix => {
  const { data } = gaussian(rows, cols, seed);
  return { data: data.map((value) => Math.round(value)), rows, cols };
};

describe.each([
  { queries: 1, bank: 1, cols: 1, k: 1, tile: 1 },
  { queries: 7, bank: 13, cols: 5, k: 3, tile: 4 },
  { queries: 5, bank: 3, cols: 8, k: 10, tile: 2 },
  { queries: 3, bank: 0, cols: 4, k: 2, tile: 1 },
  { queries: 0, bank: 5, cols: 4, k: 2, tile: 5 },
  { queries: 67, bank: 4099, cols: 12, k: 31, tile: 1000 },
  { queries: 4099, bank: 131, cols: 3, k: 2, tile: 131 },
])('top-k of $queries queries in a bank of $bank, k $k', ({ queries, bank, cols, k, tile }) => {
  test('is that of the CPU, to the last index, where products are exact', async () => {
    const [a, b] = [whole(queries, cols, 1), whole(bank, cols, 2)];
    const expected = await search(openCpuTopK(a, k), b, tile);
    expect(await search(openTopK(gpu, a, k), b, tile)).toEqual(expected);
  });

  test('differs from that of the CPU only where rounding reorders', async () => {
    const [a, b] = [gaussian(queries, cols, 3), gaussian(bank, cols, 4)];
    const expected = await search(openCpuTopK(a, k), b, tile);
    const actual = await search(openTopK(gpu, a, k), b, tile);
    expect(actual.k).toBe(expected.k);
    const [lengths, longest] = [norms(a), Math.max(0, ...norms(b))];
    expected.scores.forEach((score, i) => {
      const q = Math.floor(i / expected.k);
      // a sum of `cols` rounded products is off by at most (cols + 1) / 2^24 of |a| |b|
      const tolerance = ((cols + 1) * lengths[q]! * longest) / 2 ** 24;
      expect(Math.abs(actual.scores[i]! - score)).toBeLessThanOrEqual(tolerance);
      expect(Math.abs(product(a, q, b, actual.indices[i]!) - score)).toBeLessThanOrEqual(2 * tolerance);
    });
  });
});

const product = (a: Matrix, i: number, b: Matrix, j: number): number => {
  const row = rowRange(a, i, i + 1).data;
  return row.reduce((sum, value, d) => sum + value * b.data[j * b.cols + d]!, 0);
};

const norms = (x: Matrix): number[] => Array.from({ length: x.rows }, (_, i) => Math.sqrt(product(x, i, x, i)));

test('many blocks of queries are searched for in several runs', async () => {
  const [a, b, k] = [whole(32 * 1024 + 70, 2, 5), whole(50, 2, 6), 3];
  const onProcessor = { ...gpu, target: { ...gpu.target, family: 'cpu' } } as const;
  const expected = await search(openCpuTopK(a, k), b, 50);
  expect(await search(openTopK(onProcessor, a, k), b, 50)).toEqual(expected);
});

test('a search goes on from what another one found', async () => {
  const [a, b] = [whole(70, 4, 9), whole(40, 4, 10)];
  const expected = await search(openCpuTopK(a, 7), b, 40);
  for (const open of [() => openCpuTopK(a, 7), () => openTopK(gpu, a, 7)])
    for (const seen of [0, 3, 30]) {
      const found = await search(open(), rowRange(b, 0, seen), 11);
      using session = open();
      session.load(found, seen);
      expect(await session.result()).toEqual(found);
      await session.add(rowRange(b, seen, 40));
      expect(await session.result()).toEqual(expected);
      expect(() => session.load({ ...found, k: 5 }, seen)).toThrow(/not the 7 best of/);
    }
});

test('rows may follow a result', async () => {
  const [a, b] = [whole(9, 4, 7), whole(40, 4, 8)];
  using cpu = openCpuTopK(a, 5);
  using session = openTopK(gpu, a, 5);
  for (const part of [rowRange(b, 0, 11), rowRange(b, 11, 40)]) {
    await cpu.add(part);
    await session.add(part);
    expect(await session.result()).toEqual(await cpu.result());
  }
});

test('a bank of another width is refused', async () => {
  using session = openTopK(gpu, gaussian(2, 3, 1), 1);
  await expect(session.add(gaussian(2, 4, 1))).rejects.toMatchObject({ code: 'features' });
});
