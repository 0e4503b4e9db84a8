/**
 * Exact nearest neighbours by inner product on a device. The bank streams past in tiles; per tile and block of queries
 * there is one product matrix `bank queries^T` `[2048, block]`, which enters the heaps of its queries and is forgotten.
 * Only heaps come back, so what crosses the bus is rows in and `k` neighbours out. Products are f32 sums in an order
 * that does not depend on the row, so equal rows tie exactly and the lowest index goes first, as on the CPU.
 */
import { compile, createState, type Gpu, matmul, type State, type Step } from '@franca/tensor';
import { type Matrix, rowRange } from '../matrix';
import type { TopK, TopKSession } from './eval-backend';
import { blockOf, evenBlocks, rowStream } from './gpu-tiles';
import { EMPTY_SCORE, heapPosition, keepBest } from './keep-best-op';
import { checkBank, checkNeighbours } from './top-k';

const BANK_TILE = 2048;
/** Queries at a time: on a GPU enough to keep it busy, on a processor few enough that their products stay in its cache. */
const QUERY_BLOCK = { gpu: 4096, cpu: 1024 } as const;
/** Runs that may wait on the queue: each holds a copy of its queries. */
const RUNS_IN_FLIGHT = 8;

type SearchStep = Step<
  { bank: { shape: number[]; dtype: 'f32' }; queries: { shape: number[]; dtype: 'f32' } },
  { position: number[] }
>;

/** Queries whose heaps fit one binding. */
interface Part {
  readonly queries: Matrix;
  readonly state: State;
  readonly step: SearchStep;
}

export function openTopK(gpu: Gpu, queries: Matrix, k: number): TopKSession {
  checkNeighbours(k);
  const size = evenBlocks(queries.rows, QUERY_BLOCK[gpu.target.family]);
  const perPart = size * Math.max(1, Math.floor(gpu.target.maxBindingBytes / (4 * k * size)));
  const stream = rowStream(BANK_TILE, queries.cols, search);
  const parts: Part[] = [];
  let seen = 0;
  let runs = 0;

  async function openParts(): Promise<void> {
    for (let begin = 0; begin < queries.rows; begin += perPart) {
      const own = rowRange(queries, begin, Math.min(begin + perPart, queries.rows));
      parts.push(await openPart(gpu, own, size, k));
    }
  }

  async function search(bank: Float32Array, count: number): Promise<void> {
    if (parts.length === 0) await openParts();
    for (const part of parts) {
      for (let block = 0; block * size < part.queries.rows; block++) {
        const inputs = { queries: blockOf(part.queries, block * size, size), ...(block === 0 ? { bank } : {}) };
        part.step.run(inputs, { position: heapPosition(block, seen, count) });
        if (++runs % RUNS_IN_FLIGHT === 0) await part.step.done();
      }
    }
    seen += count;
  }

  async function result(): Promise<TopK> {
    await stream.finish();
    return readHeaps(parts, k, Math.min(k, seen));
  }

  return {
    async add(tile) {
      checkBank(tile, queries);
      await stream.add(tile);
    },
    result,
    [Symbol.dispose]() {
      for (const { state, step } of parts.splice(0)) {
        step.dispose();
        state.dispose();
      }
    },
  };
}

async function openPart(gpu: Gpu, queries: Matrix, size: number, k: number): Promise<Part> {
  const shape = [k, Math.ceil(queries.rows / size) * size];
  const state = createState(gpu, {
    scores: { heap: { shape, dtype: 'f32' } },
    indices: { heap: { shape, dtype: 'u32' } },
  });
  try {
    state.write('scores', 'heap', new Float32Array(k * shape[1]!).fill(EMPTY_SCORE));
    const step: SearchStep = await compile(
      gpu,
      ({ scores, indices }, { bank, queries: block }, { position }) => {
        const heaps = { scores: scores.tensors.heap, indices: indices.tensors.heap };
        keepBest(matmul(bank, block, { transposeB: true }), heaps, position);
        return undefined;
      },
      {
        state,
        batch: {
          bank: { shape: [BANK_TILE, queries.cols], dtype: 'f32' },
          queries: { shape: [size, queries.cols], dtype: 'f32' },
        },
        knobs: { position: [4] },
      },
    );
    return { queries, state, step };
  } catch (error) {
    state.dispose();
    throw error;
  }
}

/** The best `found` of all queries, in their order, out of heaps of `k`. */
async function readHeaps(parts: readonly Part[], k: number, found: number): Promise<TopK> {
  const rows = parts.reduce((sum, { queries }) => sum + queries.rows, 0);
  const scores = new Float32Array(rows * found);
  const indices = new Int32Array(rows * found);
  let at = 0;
  for (const { queries, state } of parts) {
    const heaps = { scores: await state.read('scores', 'heap'), indices: await state.read('indices', 'heap') };
    for (let q = 0; q < queries.rows; q++, at += found) {
      sortedHeap(heaps, q, k)
        .subarray(0, found)
        .forEach((entry, j) => {
          scores[at + j] = heaps.scores[entry]!;
          indices[at + j] = heaps.indices[entry]!;
        });
    }
  }
  return { k: found, scores, indices };
}

/** Entries `[k, queries]` of one query's heap, best first. */
function sortedHeap(
  { scores, indices }: { readonly scores: ArrayLike<number>; readonly indices: ArrayLike<number> },
  query: number,
  k: number,
): Uint32Array {
  const stride = scores.length / k;
  return Uint32Array.from({ length: k }, (_, j) => j * stride + query).sort(
    (a, b) => scores[b]! - scores[a]! || indices[a]! - indices[b]!,
  );
}
