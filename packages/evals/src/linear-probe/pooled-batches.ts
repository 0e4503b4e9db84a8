/**
 * Training batches of rows that lie on disk and do not fit in memory. Reading each row of a batch from where it lies would be a random read a
 * row; reading the rows as they lie would be wrong, since a set such as ImageNet lies class by class and a batch would be of one class. Between
 * the two: a pass reads blocks of a few consecutive rows, in an order drawn anew over the whole set, into a pool as large as memory allows, and
 * draws the rows of the pool in random order until it is empty; then comes the next pool. Every row comes once a pass. Batches are mixed across the set,
 * though not as evenly as in a shuffle of all rows: those of a pool share the blocks that happen to be in it. Two pools of half the memory take
 * turns, so that one is read while the other is trained on.
 *
 * Order depends on the seed, the size of the set and that of the pool, not on how fast anything is read.
 *
 * Source: CorgiPile, Xu et al., "In-Database Machine Learning with CorgiPile: Stochastic Gradient Descent without Full Data Shuffle", SIGMOD 2022.
 */
import type { Matrix } from '../matrix';
import { permutation, random } from '../numerics/random';
import type { ProbeFeatures, StoredProbeFeatures } from './probe-features';
import { readRows, rowWidth } from './stored-features';
import type { ProbeBatch } from './train-grid';

/** Consecutive rows that are read together: few, so that a pool holds many blocks, and enough to be read quickly. */
export const BLOCK_ROWS = 16;
/** Blocks whose reads are under way at once. */
const READS = 8;

/** Rows of one of the two pools that together take so many bytes, and the longest array at most. */
export function poolRows(features: StoredProbeFeatures, memory: number): number {
  const values = Math.min(memory / 8, 2 ** 31);
  return BLOCK_ROWS * Math.max(1, Math.floor(values / rowWidth(features) / BLOCK_ROWS));
}

export interface PooledOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** Rows of a pool, as `poolRows` gives them. */
  readonly rows: number;
  /** Batches that are not asked for, as they were had before. */
  readonly skipped: number;
}

/** Endless batches; one is good until the next is asked for. */
export async function* pooledBatches(
  features: StoredProbeFeatures,
  { batchSize, seed, rows, skipped }: PooledOptions,
): AsyncGenerator<ProbeBatch> {
  const cols = rowWidth(features);
  const plans = poolPlans(features.labels.length, rows, seed);
  let plan = plans.next().value!;
  let at = skipped * batchSize;
  for (; at >= plan.order.length; plan = plans.next().value!) at -= plan.order.length;
  const room = Math.min(rows, features.labels.length) * cols;
  const buffers = [new Float32Array(room), new Float32Array(room)];
  const batch = {
    x: { data: new Float32Array(batchSize * cols), rows: batchSize, cols },
    labels: new Int32Array(batchSize),
  };
  const stop = new AbortController();
  let filled = 0;
  let reading = fillPool(features, plan, buffers[0]!, stop.signal);
  try {
    for (let turn = 1; ; turn++) {
      const pool = await reading;
      const { order } = plan;
      plan = plans.next().value!;
      reading = fillPool(features, plan, buffers[turn % 2]!, stop.signal);
      // what fails is told when it is waited for
      reading.catch(() => {});
      for (; at < order.length; at++) {
        copyRow(pool, order[at]!, batch, filled++);
        if (filled < batchSize) continue;
        yield batch;
        filled = 0;
      }
      at = 0;
    }
  } finally {
    stop.abort();
    await reading.catch(() => {});
  }
}

/** One filling of a pool. */
interface PoolPlan {
  /** Where each block begins, in the order in which they are laid side by side. */
  readonly begins: Int32Array;
  /** Rows of the pool in the order in which they are drawn. */
  readonly order: Int32Array;
}

/** Pools of `rows` rows at most, pass after pass over `count` rows. */
function* poolPlans(count: number, rows: number, seed: number): Generator<PoolPlan, never> {
  const draws = random(seed);
  const blocks = Math.ceil(count / BLOCK_ROWS);
  const pools = Math.ceil((blocks * BLOCK_ROWS) / rows);
  const perPool = Math.ceil(blocks / pools);
  while (true) {
    const begins = permutation(blocks, draws).map((block) => block * BLOCK_ROWS);
    for (let first = 0; first < blocks; first += perPool) {
      const own = begins.subarray(first, first + perPool);
      const isShort = own.includes((blocks - 1) * BLOCK_ROWS);
      const length = own.length * BLOCK_ROWS - (isShort ? blocks * BLOCK_ROWS - count : 0);
      yield { begins: own, order: permutation(length, draws) };
    }
  }
}

interface Pool {
  readonly x: Matrix;
  readonly labels: Int32Array;
}

/** Reads the blocks of a pool side by side into `buffer`, several at once. */
async function fillPool(
  features: StoredProbeFeatures,
  { begins, order }: PoolPlan,
  buffer: Float32Array,
  signal: AbortSignal,
): Promise<Pool> {
  const cols = rowWidth(features);
  const count = features.labels.length;
  const labels = new Int32Array(order.length);
  let next = 0;
  let at = 0;
  const readBlocks = async (): Promise<void> => {
    while (next < begins.length && !signal.aborted) {
      const begin = begins[next++]!;
      const end = Math.min(begin + BLOCK_ROWS, count);
      const to = at;
      at += end - begin;
      layRows(await readRows(features, begin, end), buffer, to * cols);
      labels.set(features.labels.subarray(begin, end), to);
    }
  };
  await Promise.all(Array.from({ length: READS }, readBlocks)).catch((error) => {
    next = begins.length;
    throw error;
  });
  return { x: { data: buffer, rows: order.length, cols }, labels };
}

/** Tokens of rows as whole rows `[blocks | patch mean]`, from `offset` on. */
function layRows({ dim, blocks, patchMean, labels }: ProbeFeatures, data: Float32Array, offset: number): void {
  const parts = patchMean ? [...blocks, patchMean] : blocks;
  for (let row = 0, at = offset; row < labels.length; row++)
    for (const part of parts) {
      data.set(part.subarray(row * dim, (row + 1) * dim), at);
      at += dim;
    }
}

function copyRow(source: Pool, row: number, target: Pool, to: number): void {
  const { cols, data } = source.x;
  target.x.data.set(data.subarray(row * cols, (row + 1) * cols), to * cols);
  target.labels[to] = source.labels[row]!;
}
