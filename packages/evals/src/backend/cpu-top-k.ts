/**
 * Exact nearest neighbours by inner product on the CPU, streaming. The bank arrives in tiles, and only the running best
 * `k` of each query are kept, so the full `[queries, bank]` matrix never exists. Each query holds a sorted list; a
 * candidate that does not beat its last entry costs one comparison. Scores are rounded to f32 before they are compared,
 * so that the order is exactly that of the scores returned, with ties to the lowest bank index.
 */
import type { Matrix } from '../matrix';
import type { TopK, TopKSession } from './eval-backend';
import { packedProducts, packRows } from './packed';
import { checkBank, checkFound, checkNeighbours } from './top-k';

const QUERY_BLOCK = 64;
const BANK_BLOCK = 256;

export function openTopK(queries: Matrix, k: number): TopKSession {
  checkNeighbours(k, queries);
  const scores = new Float32Array(queries.rows * k).fill(Number.NEGATIVE_INFINITY);
  const indices = new Int32Array(queries.rows * k).fill(-1);
  const products = new Float64Array(QUERY_BLOCK * BANK_BLOCK);
  let seen = 0;

  async function add(tile: Matrix): Promise<void> {
    checkBank(tile, queries);
    for (let b = 0; b < tile.rows; b += BANK_BLOCK) {
      const bank = packRows(tile.data, tile.cols, b, Math.min(b + BANK_BLOCK, tile.rows));
      for (let q = 0; q < queries.rows; q += QUERY_BLOCK) {
        const block = packRows(queries.data, queries.cols, q, Math.min(q + QUERY_BLOCK, queries.rows));
        packedProducts(block, bank, products);
        for (let i = 0; i < block.count; i++) insertRow(q + i, products, i * bank.count, bank.count, seen + b);
      }
    }
    seen += tile.rows;
  }

  function insertRow(query: number, row: Float64Array, from: number, count: number, firstIndex: number): void {
    const begin = query * k;
    const last = begin + k - 1;
    for (let j = 0; j < count; j++) {
      const score = Math.fround(row[from + j]!);
      if (score > scores[last]!) insert(begin, last, score, firstIndex + j);
    }
  }

  // Candidates come in ascending order of index, so one that equals an entry belongs after it.
  function insert(begin: number, last: number, score: number, index: number): void {
    let low = begin;
    let high = last;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (scores[middle]! >= score) low = middle + 1;
      else high = middle;
    }
    scores.copyWithin(low + 1, low, last);
    indices.copyWithin(low + 1, low, last);
    scores[low] = score;
    indices[low] = index;
  }

  async function result(): Promise<TopK> {
    const found = Math.min(k, seen);
    return { k: found, scores: firstColumns(scores, k, found), indices: firstColumns(indices, k, found) };
  }

  function load(found: TopK, rows: number): void {
    checkFound(found, rows, queries.rows, k);
    for (let i = 0; i < found.scores.length; i++) {
      const at = Math.floor(i / found.k) * k + (i % found.k);
      scores[at] = found.scores[i]!;
      indices[at] = found.indices[i]!;
    }
    seen = rows;
  }

  return { add, result, load, [Symbol.dispose]: () => {} };
}

function firstColumns<T extends Float32Array | Int32Array>(data: T, cols: number, keep: number): T {
  return data.filter((_, i) => i % cols < keep) as T;
}
