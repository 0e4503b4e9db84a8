/**
 * The frame of attention kernels on GPUs (`tiled.ts`): one workgroup per tile of a head's rows. 8 invocations share 4 rows. Invocation c
 * computes columns c, c + 8, c + 16, c + 24 of the logits and elements 4 c .. 4 c + 3 of every 32 of the result. Operands are staged 32
 * elements of a head at a time. All tiles have rows of 8 vec4 and one more, so that neighbours fall into different banks. At default limits
 * a workgroup is 32 rows, 64 invocations and 13.5 KiB.
 */
import type { Target } from '../../base/target';
import { range } from '../../base/whole-numbers';
import type { Kernel } from '../../graph/op';
import { type KernelBuilder, kernelBuilder } from '../../kernels/kernel-builder';
import { ATTENTION_KINDS, type AttentionDims, type AttentionLabel, productFlops } from './problem';
import { type TokenScope, type Tokens, tokenScope } from './tokens';

export const COLUMNS = 32;
const PITCH = 9;
const tileBytes = (rows: number): number => (2 * rows + COLUMNS) * PITCH * 16;

/** 64 rows halve the traffic per row, where they fit. */
const rowsPerTile = ({ maxWorkgroupBytes }: Target, N: number): number =>
  N > 32 && tileBytes(64) <= maxWorkgroupBytes ? 64 : 32;

/** WGSL for each of an invocation's four rows. */
export const forRows = (text: (i: number) => string, separator = '\n    '): string =>
  range(4).map(text).join(separator);

export interface TileScope {
  readonly k: KernelBuilder;
  readonly tokens: TokenScope;
  /** Rows of a tile. */
  readonly rows: number;
  /** Numbers of the 32-element chunks of a head. */
  readonly chunks: readonly number[];
  /** WGSL of N, and of the vec4 of a head. */
  readonly N: string;
  readonly size: string;
  /** WGSL of 8, the vec4 of a staged row: a uniform, since software adapters unroll constant loops into code that takes long to compile. */
  readonly eight: string;
}

export interface TileKernel {
  readonly label: AttentionLabel;
  readonly dims: AttentionDims;
  readonly target: Target;
  /** Products over all pairs of tokens that the kernel computes. */
  readonly products: number;
}

/** In scope of the body: `head` among all B H, `row0` (first of the tile), `row` (first of the invocation), `r` = row - row0, `c`. */
export function tileKernel({ label, dims, target, products }: TileKernel, body: (scope: TileScope) => string): Kernel {
  const { B, H, N, d } = dims;
  const k = kernelBuilder(label, target);
  const rows = rowsPerTile(target, N);
  const tiles = Math.ceil(N / rows);
  const [grid, groups] = [k.uniform(tiles), k.uniform(B * H * tiles)];
  const tokens = tokenScope(k, dims);
  const text = body({
    k,
    tokens,
    rows,
    chunks: range(Math.ceil(d / 32)),
    N: k.uniform(N),
    size: k.uniform(d / 4),
    eight: k.uniform(8),
  });
  return k.build({
    declarations: `
var<workgroup> tileA: array<vec4<f32>, ${rows * PITCH}>;
var<workgroup> tileB: array<vec4<f32>, ${COLUMNS * PITCH}>;
var<workgroup> weights: array<vec4<f32>, ${rows * PITCH}>;`,
    body: `
  if (group >= ${groups}) { return; }
  let head = group / ${grid};
  let row0 = group % ${grid} * ${rows}u;
  let r = lane / 8u * 4u;
  let c = lane % 8u;
  let row = row0 + r;
${tokens.declarations()}
${text}`,
    workgroupSize: rows * 2,
    workgroups: B * H * tiles,
    kind: ATTENTION_KINDS[label],
    flops: products * productFlops(dims),
    serial: 1,
    touched: tokens.touched(),
  });
}

/** Copies one chunk of the tokens from `first` on to a tile; what lies outside is zero. */
function stage(
  { tokens, rows, N, size }: TileScope,
  tile: 'tileA' | 'tileB',
  from: Tokens,
  first: string,
  chunk: string,
): string {
  const units = (tile === 'tileA' ? rows : COLUMNS) * 8;
  return `
    for (var i = lane; i < ${units}u; i += ${rows * 2}u) {
      let token = ${first} + i / 8u; let unit = ${chunk} * 8u + i % 8u;
      var staged = vec4<f32>();
      if (token < ${N} && unit < ${size}) { staged = ${tokens.load(from)('token', 'unit')}; }
      ${tile}[i / 8u * ${PITCH}u + i % 8u] = staged;
    }`;
}

/** Declares `<name>0..3`: products of the invocation's rows of `a` with its columns, from `column0` on, of `b`. */
export function product(scope: TileScope, name: string, a: Tokens, b: Tokens): string {
  const { k, chunks, eight } = scope;
  const dots = (i: number): string => `vec4<f32>(${range(4).map((j) => `dot(a${i}, b${j})`)})`;
  return `
  ${forRows((i) => `var ${name}${i} = vec4<f32>();`, ' ')}
  for (var chunk = 0u; chunk < ${k.uniform(chunks.length)}; chunk++) {
    workgroupBarrier();${stage(scope, 'tileA', a, 'row0', 'chunk')}${stage(scope, 'tileB', b, 'column0', 'chunk')}
    workgroupBarrier();
    for (var x = 0u; x < ${eight}; x++) {
      ${range(4)
        .map((j) => `let b${j} = tileB[(c + ${8 * j}u) * ${PITCH}u + x];`)
        .join(' ')}
      ${forRows((i) => `let a${i} = tileA[(r + ${i}u) * ${PITCH}u + x]; ${name}${i} += ${dots(i)};`, '\n      ')}
    }
  }`;
}

/** The four columns of row i that invocation `x` of the row put into the tile of weights. */
export const weightsOf = (i: number, x: string): string => `weights[(r + ${i}u) * ${PITCH}u + ${x}]`;

/** Puts `value(i)` for the four rows into the tile of weights, once everybody has done with what was there. */
export const putWeights = (value: (i: number) => string): string => `
    workgroupBarrier();
    ${forRows((i) => `${weightsOf(i, 'c')} = ${value(i)};`)}`;

/** Sums `<name><chunk>_<i>` over the columns, a vec4 of elements each. */
export const declareSums = ({ chunks }: TileScope, name: string): string =>
  chunks.map((t) => `  ${forRows((i) => `var ${name}${t}_${i} = vec4<f32>();`, ' ')}`).join('\n');

/** Adds the weights' product with the columns' tokens to the sums. */
export function accumulate(scope: TileScope, name: string, b: Tokens): string {
  const row = (t: number, i: number): string =>
    `let w${i} = ${weightsOf(i, 'x')}; ${name}${t}_${i} += w${i}.x * b0 + w${i}.y * b1 + w${i}.z * b2 + w${i}.w * b3;`;
  return scope.chunks
    .map(
      (t) => `
    workgroupBarrier();${stage(scope, 'tileB', b, 'column0', `${t}u`)}
    workgroupBarrier();
    for (var x = 0u; x < ${scope.eight}; x++) {
      ${range(4)
        .map((j) => `let b${j} = tileB[(x + ${8 * j}u) * ${PITCH}u + c];`)
        .join(' ')}
      ${forRows((i) => row(t, i), '\n      ')}
    }`,
    )
    .join('');
}

/** Writes `value(chunk, i)` as the rows of `to`. */
export function storeRows(
  { tokens, chunks, N, size }: TileScope,
  to: Tokens,
  value: (chunk: number, i: number) => string,
): string {
  const put = tokens.store(to);
  const one = (t: number, i: number): string =>
    `  if (row + ${i}u < ${N} && ${8 * t}u + c < ${size}) { ${put(`(row + ${i}u)`, `(${8 * t}u + c)`, value(t, i))} }`;
  return chunks.map((t) => forRows((i) => one(t, i), '\n')).join('\n');
}
