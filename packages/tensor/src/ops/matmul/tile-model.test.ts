import { describe, expect, test } from 'vitest';
import { bestFew, bestRanges, expectedSeconds, matrixTileCost, type ProductSize, scalarTileCost } from './tile-model';

const config = { M: 16, N: 16, K: 16 };
const matrixTile = (blocks: number, matrices = config) =>
  matrixTileCost(
    { config: matrices, subgroupRows: 2, subgroupColumns: 2, blockRows: blocks, blockColumns: blocks, depth: 32 },
    32,
  );
const LARGE = matrixTile(4);
const SMALL = matrixTile(1);
const SCALAR = scalarTileCost({ rows: 128, columns: 128, depth: 8, blockRows: 8, blockColumns: 8 });
const product = (M: number, N: number, K: number): ProductSize => ({ batch: 1, M, N, K, dtype: 'f16' });

describe('the expected time of a product', () => {
  test('grows with each of its sizes', () => {
    const base = expectedSeconds(product(4096, 4096, 1024), LARGE, 1);
    for (const larger of [product(8192, 4096, 1024), product(4096, 8192, 1024), product(4096, 4096, 2048)])
      expect(expectedSeconds(larger, LARGE, 1)).toBeGreaterThan(base);
  });
  test('pays for what tiles hold outside of it', () => {
    const [whole, ragged] = [product(264 * 128, 128, 4096), product(264 * 128, 129, 4096)];
    expect(expectedSeconds(ragged, LARGE, 1)).toBeGreaterThan(1.3 * expectedSeconds(whole, LARGE, 1));
    expect(expectedSeconds(product(5120, 5120, 1000), LARGE, 1)).toBeCloseTo(
      expectedSeconds(product(5120, 5120, 1024), LARGE, 1),
      9,
    );
  });
  test('pays for a round of tiles of which most processors get none', () => {
    // 132 processors, and two tiles at a time on each
    const [full, more] = [product(264 * 128, 128, 4096), product(265 * 128, 128, 4096)];
    expect(expectedSeconds(more, LARGE, 1)).toBeGreaterThan(1.3 * expectedSeconds(full, LARGE, 1));
  });
  test('is lower by large tiles where there are many, by small ones where there are few', () => {
    const seconds = (size: number, cost: typeof LARGE) => expectedSeconds(product(size, size, 4096), cost, 1);
    expect(seconds(8192, LARGE)).toBeLessThan(seconds(8192, SMALL));
    expect(seconds(256, SMALL)).toBeLessThan(seconds(256, LARGE));
  });
  test('is lower by matrices than without, and by larger matrices than by smaller ones', () => {
    const size = product(8192, 8192, 8192);
    expect(expectedSeconds(size, LARGE, 1)).toBeLessThan(expectedSeconds(size, SCALAR, 1) / 3);
    const small = matrixTile(8, { M: 8, N: 8, K: 8 });
    expect([small.rows, small.columns]).toEqual([LARGE.rows, LARGE.columns]);
    expect(expectedSeconds(size, LARGE, 1)).toBeLessThan(expectedSeconds(size, small, 1) * 1.001);
  });
  test('has k divided where tiles are few and k is long, and not where it costs more than it gives', () => {
    const divided = (size: ProductSize) => {
      const ranges = bestRanges(size, LARGE);
      return ranges !== undefined && expectedSeconds(size, LARGE, ranges) < expectedSeconds(size, LARGE, 1);
    };
    expect(divided(product(768, 768, 14649))).toBe(true);
    expect(divided(product(8192, 8192, 1024))).toBe(false);
    expect(bestRanges(product(768, 768, 511), LARGE)).toBeUndefined();
    // 64 MiB of sums at most
    expect(bestRanges(product(4096, 4096, 65536), LARGE)).toBeUndefined();
  });
});

describe('the best few', () => {
  const way = (seconds: number, matrices: string, tile: string) => ({ seconds, matrices, tile });

  test('begin with the best of all', () => {
    const ways = [way(3, 'a', 'x'), way(1, 'b', 'y'), way(2, 'c', 'z')];
    expect(bestFew(ways, 2)).toEqual([ways[1], ways[2]]);
    expect(bestFew(ways, 5)).toHaveLength(3);
  });
  test('are of several kinds where these are close, of one kind where it is far ahead', () => {
    const ways = [way(1, 'a', 'x'), way(1.01, 'a', 'x'), way(1.1, 'b', 'x'), way(1.2, 'b', 'y'), way(9, 'c', 'z')];
    expect(bestFew(ways, 3)).toEqual([ways[0], ways[3], ways[1]]);
    expect(bestFew([ways[0]!, ways[1]!, ways[4]!], 2)).toEqual([ways[0], ways[1]]);
  });
});
