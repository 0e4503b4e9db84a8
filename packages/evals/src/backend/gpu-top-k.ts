/**
 * Exact nearest neighbours by inner product on a device. Queries stay there, in blocks; the bank streams past in tiles.
 * Per tile and block there is one product matrix `bank queries^T` `[2048, block]`, which enters the heaps of its queries
 * and is forgotten; one run does that for many blocks. So what crosses the bus is queries in once, rows of the bank in,
 * and `k` neighbours out. Products are f32 sums in an order that does not depend on the row, so equal rows tie exactly
 * and the lowest index goes first, as on the CPU.
 */
import { compile, createState, type Gpu, matmul, type State, type Step, type Tensor } from '@franca/tensor';
import { checkOption } from '../errors';
import type { Matrix } from '../matrix';
import type { TopK, TopKSession } from './eval-backend';
import { blockOf, evenBlocks, rowStream } from './gpu-tiles';
import { EMPTY_SCORE, heapPosition, keepBest } from './keep-best-op';
import { checkBank, checkFound, checkNeighbours } from './top-k';

const BANK_TILE = 2048;
/** Queries at a time: on a GPU enough to keep it busy, on a processor few enough that their products stay in its cache. */
const QUERY_BLOCK = { gpu: 4096, cpu: 1024 } as const;
/** Blocks that one run searches for. */
const BLOCKS_PER_RUN = 32;
/** Runs that may wait on the queue: each holds a copy of its tile of the bank. */
const RUNS_IN_FLIGHT = 8;

type Inputs = Readonly<Record<string, { shape: number[]; dtype: 'f32' }>>;

/** Queries whose blocks are searched for in one run; block `i` is the input `i`, and its heaps the tensors `i`. */
interface Part extends PartShape {
  readonly state: State;
  readonly step: Step<Inputs, { position: number[] }>;
}

interface PartShape {
  /** Row of the first query, and how many there are. */
  readonly begin: number;
  readonly rows: number;
  /** Queries of a block. */
  readonly size: number;
}

/** What a search goes on from. */
interface Found {
  readonly neighbours: TopK;
  readonly seen: number;
}

export function openTopK(gpu: Gpu, queries: Matrix, k: number): TopKSession {
  checkNeighbours(k, queries);
  const { rows, cols } = queries;
  const stream = rowStream(BANK_TILE, cols, search);
  // until they are on the device
  let waiting: { readonly queries: Matrix; readonly found?: Found } | undefined = { queries };
  let parts: readonly Part[] = [];
  let seen = 0;
  let runs = 0;

  async function search(bank: Float32Array, count: number): Promise<void> {
    const fresh = waiting?.queries;
    if (waiting) parts = await openParts(gpu, waiting.queries, k, waiting.found);
    waiting = undefined;
    for (const part of parts) {
      part.step.run({ bank, ...(fresh && blocksOf(fresh, part)) }, { position: heapPosition(seen, count) });
      if (++runs % RUNS_IN_FLIGHT === 0) await part.step.done();
    }
    seen += count;
  }

  return {
    async add(tile) {
      checkBank(tile, { cols });
      await stream.add(tile);
    },
    async result() {
      await stream.finish();
      return waiting?.found?.neighbours ?? readHeaps(parts, { rows, k, found: Math.min(k, seen) });
    },
    load(neighbours, rowsSeen) {
      checkFound(neighbours, rowsSeen, rows, k);
      checkOption(waiting !== undefined, 'a search is loaded before its first row');
      waiting = { ...waiting!, found: { neighbours, seen: rowsSeen } };
      seen = rowsSeen;
    },
    [Symbol.dispose]() {
      for (const part of parts) closePart(part);
      parts = [];
    },
  };
}

function closePart({ step, state }: Part): void {
  step.dispose();
  state.dispose();
}

async function openParts(
  gpu: Gpu,
  { rows, cols }: Matrix,
  k: number,
  found: Found | undefined,
): Promise<readonly Part[]> {
  const size = evenBlocks(rows, QUERY_BLOCK[gpu.target.family]);
  const parts: Part[] = [];
  try {
    for (let begin = 0; begin < rows; begin += size * BLOCKS_PER_RUN) {
      const shape = { begin, rows: Math.min(size * BLOCKS_PER_RUN, rows - begin), size };
      const part = await openPart(gpu, shape, cols, k);
      parts.push(part);
      fillHeaps(part, k, found?.neighbours);
    }
    return parts;
  } catch (error) {
    for (const part of parts) closePart(part);
    throw error;
  }
}

async function openPart(gpu: Gpu, shape: PartShape, cols: number, k: number): Promise<Part> {
  const { size } = shape;
  const state: State = createState(gpu, {
    scores: ofBlocks(shape, () => ({ shape: [k, size], dtype: 'f32' })),
    indices: ofBlocks(shape, () => ({ shape: [k, size], dtype: 'u32' })),
  });
  try {
    const step: Part['step'] = await compile(
      gpu,
      ({ scores, indices }, { bank, ...queries }, { position }) => {
        for (const [block, tokens] of Object.entries<Tensor>(queries)) {
          const heaps = { scores: scores!.tensors[block]!, indices: indices!.tensors[block]! };
          keepBest(matmul(bank!, tokens, { transposeB: true }), heaps, position);
        }
        return undefined;
      },
      {
        state,
        batch: {
          ...ofBlocks(shape, () => ({ shape: [size, cols], dtype: 'f32' as const })),
          bank: { shape: [BANK_TILE, cols], dtype: 'f32' },
        },
        knobs: { position: [3] },
      },
    );
    return { ...shape, state, step };
  } catch (error) {
    state.dispose();
    throw error;
  }
}

/** A value for each block of a part, by its number and its first query among all. */
function ofBlocks<T>({ begin, rows, size }: PartShape, make: (first: number) => T): Record<string, T> {
  const blocks = Array.from({ length: Math.ceil(rows / size) }, (_, block) => block);
  return Object.fromEntries(blocks.map((block) => [`${block}`, make(begin + block * size)]));
}

const blocksOf = (queries: Matrix, part: PartShape): Record<string, Float32Array> =>
  ofBlocks(part, (first) => blockOf(queries, first, part.size));

/** Empty heaps, or what was found before: a list backwards, the worst first, is a heap. */
function fillHeaps(part: Part, k: number, found: TopK | undefined): void {
  const { begin, rows, size, state } = part;
  const heaps = ofBlocks(part, (first) => {
    const scores = new Float32Array(k * size).fill(EMPTY_SCORE);
    const indices = new Uint32Array(k * size);
    const listed = found?.k ?? 0;
    for (let q = 0; q < Math.min(size, begin + rows - first); q++)
      for (let j = 0; j < listed; j++) {
        scores[(k - 1 - j) * size + q] = found!.scores[(first + q) * listed + j]!;
        indices[(k - 1 - j) * size + q] = found!.indices[(first + q) * listed + j]!;
      }
    return { scores, indices };
  });
  for (const [block, { scores, indices }] of Object.entries(heaps)) {
    state.write('scores', block, scores);
    state.write('indices', block, indices);
  }
}

/** The best `found` of all queries, in their order, out of heaps of `k`. */
async function readHeaps(
  parts: readonly Part[],
  { rows, k, found }: { readonly rows: number; readonly k: number; readonly found: number },
): Promise<TopK> {
  const scores = new Float32Array(rows * found);
  const indices = new Int32Array(rows * found);
  let at = 0;
  for (const part of parts) {
    const { begin, rows: own, size, state } = part;
    for (const [name, first] of Object.entries(ofBlocks(part, (row) => row))) {
      const heaps = { scores: await state.read('scores', name), indices: await state.read('indices', name) };
      for (let q = 0; q < Math.min(size, begin + own - first); q++, at += found) {
        const entries = sortedHeap(heaps, q, k);
        for (let j = 0; j < found; j++) {
          scores[at + j] = heaps.scores[entries[j]!]!;
          indices[at + j] = heaps.indices[entries[j]!]!;
        }
      }
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
