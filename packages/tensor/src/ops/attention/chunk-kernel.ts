/**
 * The frame of attention kernels on CPU adapters (`chunked.ts`): one subgroup per tile of a head's result. Here are the ways in which they
 * read tokens and logits as operands of a product and write both. Logits of a chunk are [heads, N, N] in scratch memory with N padded to a
 * multiple of four.
 */
import type { Target } from '../../base/target';
import { range, roundUp } from '../../base/whole-numbers';
import type { Kernel, Scratch } from '../../graph/op';
import { elementType, type KernelBuilder, kernelBuilder } from '../../kernels/kernel-builder';
import { type ProductOperand, rowArray } from '../matmul/broadcast-product';
import { ATTENTION_KINDS, type AttentionDims, type AttentionLabel, productFlops } from './problem';
import { type TokenScope, type Tokens, tokenScope } from './tokens';

// Below this, kernels of 16 rows are compiled sooner than taller ones repay it.
const LARGE_FLOPS = 1e7;
const MOST_ROWS = 40;
// What a tile costs besides its rows, in rows: it loads B.
const TILE_ROWS = 6;

/** Rows of a tile, a multiple of `lanes` and of 4: those that cover M rows at least cost. */
function rowsOfTile(M: number, lanes: number, most: number): number {
  const choices = range(Math.max(1, Math.floor(most / lanes))).map((i) => (i + 1) * lanes);
  const cost = (rows: number): number => Math.ceil(M / rows) * (rows + TILE_ROWS);
  return choices.reduce((best, rows) => (cost(rows) <= cost(best) ? rows : best));
}

export const padded = (N: number): number => roundUp(N, 4);

/** The heads [first, first + count) of all B H, computed by one set of kernels. */
export interface Chunk {
  readonly first: number;
  readonly count: number;
}

export interface ChunkTile {
  readonly label: AttentionLabel;
  readonly dims: AttentionDims;
  readonly chunk: Chunk;
  readonly target: Target;
  /** Size of one head's result. */
  readonly M: number;
  readonly columns: number;
  /** Products over all pairs of tokens that the kernel computes. */
  readonly products: number;
  /** Rows that the kernel can hold (default 40). */
  readonly mostRows?: number;
}

export interface ChunkScope {
  readonly k: KernelBuilder;
  readonly tokens: TokenScope;
  readonly lanes: number;
  /** Rows of a tile. */
  readonly rows: number;
  /** WGSL of N, of N padded, and of d. */
  readonly N: string;
  readonly padded: string;
  readonly d: string;
}

/**
 * In scope of the body: `row` (first of the tile), `column` (first of the lane's four), `head` among all B H, and `matrix`, where the head's logits
 * start, in vec4.
 */
export function chunkKernel(tile: ChunkTile, body: (scope: ChunkScope) => string): Kernel {
  const { label, dims, chunk, target, M, columns, products, mostRows = MOST_ROWS } = tile;
  const { B, H, N, d } = dims;
  const k = kernelBuilder(label, target);
  const lanes = target.subgroupSize!;
  const rows = rowsOfTile(M, lanes, productFlops(dims) < LARGE_FLOPS ? Math.min(16, mostRows) : mostRows);
  const [tilesM, tilesN] = [Math.ceil(M / rows), Math.ceil(columns / (4 * lanes))];
  const [gridM, gridN, groups] = [k.uniform(tilesM), k.uniform(tilesN), k.uniform(chunk.count * tilesM * tilesN)];
  const pad = k.uniform(padded(N));
  const tokens = tokenScope(k, dims, chunk.count);
  const text = body({ k, tokens, lanes, rows, N: k.uniform(N), padded: pad, d: k.uniform(d) });
  return k.build({
    body: `
  if (group >= ${groups}) { return; }
  let column = (group % ${gridN} * ${lanes}u + sgLane) * 4u;
  let row = group / ${gridN} % ${gridM} * ${rows}u;
  let local = group / (${gridN} * ${gridM});
  let head = local + ${k.uniform(chunk.first)};
  let matrix = local * ${pad} * (${pad} / 4u);
${tokens.declarations()}
${text}`,
    workgroupSize: lanes,
    workgroups: chunk.count * tilesM * tilesN,
    kind: ATTENTION_KINDS[label],
    flops: (products * productFlops(dims) * chunk.count) / (B * H),
    serial: 1,
    touched: tokens.touched(),
  });
}

/** Tokens as an operand whose k are their elements. Tokens past the last repeat it. */
export function tokensByToken({ tokens, N }: ChunkScope, own: Tokens): ProductOperand {
  const load = tokens.load(own);
  return { alongK: true, load: (token, k) => load(`min(${token}, ${N} - 1u)`, `${k} / 4u`) };
}

/** Tokens as an operand whose k are the tokens. Elements past the last repeat it, tokens likewise (their weights are zero). */
export function tokensByElement({ tokens, N, d }: ChunkScope, own: Tokens): ProductOperand {
  const load = tokens.load(own);
  return {
    alongK: false,
    load: (element, k) => load(`min(${k}, ${N} - 1u)`, `min(${element}, ${d} - 4u) / 4u`),
  };
}

/** Logits as an operand whose k are their columns. Rows past the last repeat it. */
export function logitsByRow({ k: builder, padded }: ChunkScope, logits: Scratch): ProductOperand {
  const matrix = builder.read(logits, elementType(logits, 4));
  return {
    alongK: true,
    load: (row, k) => `${matrix}[matrix + (min(${row}, ${padded} - 1u) * ${padded} + ${k}) / 4u]`,
  };
}

/** Logits as an operand whose k are their rows: the transposed matrix. */
export function logitsByColumn({ k: builder, padded }: ChunkScope, logits: Scratch): ProductOperand {
  const matrix = builder.read(logits, elementType(logits, 4));
  return {
    alongK: false,
    load: (column, k) => `${matrix}[matrix + (${k} * ${padded} + min(${column}, ${padded} - 4u)) / 4u]`,
  };
}

// In both, the loop's bound is not a constant, lest the driver's compiler repeat its body for every row.

/** Writes `value(i)`, a vec4, for row i of a head's tokens. */
export function storeTokens({ tokens, rows, N, d }: ChunkScope, own: Tokens, value: (i: number) => string): string {
  return `
  var result = ${rowArray(rows, value)};
  if (column < ${d}) {
    for (var i = 0u; i < min(${rows}u, max(${N}, row) - row); i++) { ${tokens.store(own)('(row + i)', 'column / 4u', 'result[i]')} }
  }`;
}

/** Writes `value(i)` for row i of the logits, padding included; columns past the last token get `outside`. `name` must be free. */
export function storeLogits(
  { k, rows, N, padded }: ChunkScope,
  logits: Scratch,
  name: string,
  value: (i: number) => string,
  outside: string,
): string {
  const matrix = k.write(logits, elementType(logits, 4));
  return `
  var ${name} = ${rowArray(rows, value)};
  if (column < ${padded}) {
    let inside = vec4<u32>(column, column + 1u, column + 2u, column + 3u) < vec4<u32>(${N});
    for (var i = 0u; i < min(${rows}u, max(${padded}, row) - row); i++) {
      ${matrix}[matrix + ((row + i) * ${padded} + column) / 4u] = select(vec4<f32>(${outside}), ${name}[i], inside);
    }
  }`;
}
