/**
 * How long a product should take by tiles of a size, on a large GPU: a model on paper, which puts kernels in order and measures nothing.
 * C [M, N] is divided into tiles, k into ranges; a processor works on a few tiles at a time, each in steps of `depth` k:
 *
 *     step  = multiplications + copies to workgroup memory and reads from there; what waits is covered by the other tiles of the processor
 *     tile  = steps of its range + results leaving
 *     time  = max(tiles of the busiest processor, bytes through the cache, bytes of A, B and C through memory) + launches
 *
 * So what lies outside of C is paid for, a few tiles too many cost a whole round, too few leave processors idle, and ranges of k pay for
 * their sums. Rates are those of an H100 [expected: data sheet, and public measurements of `mma.sync`]; only the order of times is used, and
 * the tuner measures the best few.
 */
import { BYTES_PER_ELEMENT, type DType } from '../../base/dtype';
import { roundUp } from '../../base/whole-numbers';
import {
  type MatrixTile,
  matrixTileBytes,
  matrixTileColumns,
  matrixTileRows,
  rowsOfRound,
  subgroupsOf,
} from './matrix-tile';
import { type Tile, tileBytes, tileInvocations } from './tile';

/** Sizes of a product, and the type of its operands. */
export interface ProductSize {
  readonly batch: number;
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly dtype: DType;
  /** Elements of both operands (default: those of their matrices, which a window over images has more of than these). */
  readonly operands?: number;
}

/** What tiles of one kernel cost a processor, in cycles. */
export interface TileCost {
  readonly rows: number;
  readonly columns: number;
  /** k per step. */
  readonly depth: number;
  /** Tiles that a processor works on at a time. */
  readonly resident: number;
  /** Cycles that a step takes from other tiles, and from its beginning to its end. */
  readonly busy: number;
  readonly alone: number;
  /** Cycles for the results of a tile to leave. */
  readonly results: number;
}

/** WebGPU does not say how many processors there are: as many as an H100 has. */
const PROCESSORS = 132;
const CYCLES_PER_SECOND = 1.7e9;
/** Of one processor: flops a cycle of f16 matrices by subgroup (63 % of the data sheet's, which take a whole workgroup), and of f32. */
const MATRIX_FLOPS = 2580;
const SCALAR_FLOPS = 256;
/** Cycles that a multiplication of matrices takes whatever their size. */
const MATRIX_CALL = 0.4;
/** Bytes a cycle of a processor's workgroup memory. */
const WORKGROUP_BYTES = 128;
/** Elements of C a cycle that leave from registers. */
const SCALAR_RESULTS = 32;
/** Cycles of a load from memory, of a barrier, and of the two of them that a tile in registers waits for at each step. */
const LATENCY = 700;
const BARRIER = 50;
const LATENCY_AHEAD = 150;
const REGISTERS = 65536;
/** Bytes of workgroup memory of a processor, 227 KiB, and what each workgroup takes beside its own. */
const PROCESSOR_BYTES = 232448;
const RESERVED_BYTES = 1024;
const MAX_INVOCATIONS = 2048;
/** Registers of an invocation beside its sums. */
const OTHER_REGISTERS = 64;
const CACHE_BYTES_PER_SECOND = 5.5e12;
const MEMORY_BYTES_PER_SECOND = 3e12;
/** Starting a kernel, and waiting for the one before. */
const LAUNCH_SECONDS = 3e-6;

/** As many as registers, invocations and workgroup memory allow. */
const residentTiles = (invocations: number, sums: number, bytes: number): number =>
  Math.max(
    1,
    Math.floor(
      Math.min(
        MAX_INVOCATIONS / invocations,
        REGISTERS / (sums + OTHER_REGISTERS) / invocations,
        PROCESSOR_BYTES / (bytes + RESERVED_BYTES),
      ),
    ),
  );

/** Tiles of 32-bit sums in registers; loads go ahead of the arithmetic, which shares its issue slots with the reads. */
export function scalarTileCost(tile: Tile): TileCost {
  const { rows, columns, depth, blockRows, blockColumns } = tile;
  const invocations = tileInvocations(tile);
  // half of the lanes of a subgroup read what another one reads
  const read = (invocations * (blockRows + blockColumns) * depth * 4) / 2 / WORKGROUP_BYTES;
  const busy = (2 * rows * columns * depth) / SCALAR_FLOPS + read + (4 * (rows + columns) * depth) / WORKGROUP_BYTES;
  return {
    rows,
    columns,
    depth,
    resident: residentTiles(invocations, blockRows * blockColumns, tileBytes(tile)),
    busy,
    alone: busy + LATENCY_AHEAD,
    results: (rows * columns) / SCALAR_RESULTS,
  };
}

/**
 * Tiles of subgroup matrices; `lanes` to a subgroup. Units of their own multiply, while other tiles copy and read. A step alone waits for its loads, which
 * were asked for at its beginning, and for one barrier. Results go to workgroup memory and back, and each round of them has two barriers.
 */
export function matrixTileCost(tile: MatrixTile, lanes: number): TileCost {
  const { config, blockRows, blockColumns, depth } = tile;
  const { M, N, K } = config;
  const [rows, columns, subgroups] = [matrixTileRows(tile), matrixTileColumns(tile), subgroupsOf(tile)];
  const products = rows * columns * depth;
  const multiplied = (2 * products) / MATRIX_FLOPS + (products / (M * N * K)) * MATRIX_CALL;
  const read = (subgroups * (blockRows * M + blockColumns * N) * depth * 2) / WORKGROUP_BYTES;
  const copied = (2 * (rows + columns) * depth) / WORKGROUP_BYTES;
  const rounds = blockRows / rowsOfRound(tile);
  return {
    rows,
    columns,
    depth,
    resident: residentTiles(subgroups * lanes, (blockRows * M * blockColumns * N) / lanes, matrixTileBytes(tile)),
    busy: Math.max(multiplied, read + copied),
    alone: Math.max(multiplied + read, LATENCY) + copied + BARRIER,
    results: (2 * 4 * rows * columns) / WORKGROUP_BYTES + 2 * rounds * BARRIER,
  };
}

const tileCount = ({ batch, M, N }: ProductSize, { rows, columns }: Pick<TileCost, 'rows' | 'columns'>): number =>
  batch * Math.ceil(M / rows) * Math.ceil(N / columns);

/** Seconds of a product by tiles of a cost, with k in so many ranges (1: not divided). */
export function expectedSeconds(product: ProductSize, cost: TileCost, ranges: number): number {
  const { batch, M, N, K, dtype, operands = batch * (M * K + K * N) } = product;
  const { rows, columns, depth, resident, busy, alone, results } = cost;
  const tiles = ranges * tileCount(product, cost);
  const steps = roundUp(K / ranges, depth) / depth;
  // so many tiles at a time, until the busiest processor has none left
  const round = (count: number): number =>
    count === 0 ? 0 : steps * Math.max(count * busy, alone) + count * results + LATENCY;
  const own = Math.ceil(tiles / PROCESSORS);
  const working = (Math.floor(own / resident) * round(resident) + round(own % resident)) / CYCLES_PER_SECOND;
  const width = BYTES_PER_ELEMENT[dtype];
  const outputs = batch * M * N;
  const cached = tiles * (rows + columns) * steps * depth * width;
  const given = (operands + outputs) * width;
  // sums of ranges are written once and read once
  const sums = ranges > 1 ? 2 * 4 * ranges * outputs : 0;
  return (
    Math.max(working, cached / CACHE_BYTES_PER_SECOND, given / MEMORY_BYTES_PER_SECOND) +
    sums / MEMORY_BYTES_PER_SECOND +
    (ranges > 1 ? 2 : 1) * LAUNCH_SECONDS
  );
}

/** Dividing k is worth it from so many k a range on, and as long as the sums take so many bytes at most. */
const MIN_RANGE = 256;
const MAX_SUMS = 64 * 2 ** 20;
const RANGES = [2, 3, 4, 6, 8, 12, 16, 24, 32];

/** The best number of ranges, 2 or more; undefined where k is too short to be divided, or C too large. */
export function bestRanges(product: ProductSize, cost: TileCost): number | undefined {
  const { batch, M, N, K } = product;
  const possible = RANGES.filter((ranges) => ranges * MIN_RANGE <= K && 4 * ranges * batch * M * N <= MAX_SUMS);
  return lowest(possible, (ranges) => expectedSeconds(product, cost, ranges));
}

/** A way to compute a product, with what it is built of. */
export interface Ranked {
  readonly seconds: number;
  /** Ways of the same matrices, and of the same tile, are expected to differ in the same way from what the model says. */
  readonly matrices: string;
  readonly tile: string;
}

/** Two ways that have something in common are told apart only where one is this much faster. */
const ALIKE = 1.15;

/** The best few, best first: a way that is like those before it gives way to another one that is nearly as fast. */
export function bestFew<T extends Ranked>(ways: readonly T[], count: number): T[] {
  const chosen: T[] = [];
  const left = [...ways];
  while (chosen.length < count && left.length > 0) {
    const handicapped = ({ seconds, matrices, tile }: T): number => {
      const common = chosen.flatMap((other) => [other.matrices === matrices, other.tile === tile]).filter(Boolean);
      return seconds * ALIKE ** common.length;
    };
    const next = lowest(left, handicapped)!;
    chosen.push(next);
    left.splice(left.indexOf(next), 1);
  }
  return chosen;
}

function lowest<T>(values: readonly T[], of: (value: T) => number): T | undefined {
  let best: T | undefined;
  for (const value of values) if (best === undefined || of(value) < of(best)) best = value;
  return best;
}
