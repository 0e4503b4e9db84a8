/**
 * Sums and other reductions over axes, and broadcasting, their adjoint. Any set of axes is brought to the form [outer, n, inner] with the
 * middle dimension reduced: a row reduction when inner is 1, a column reduction otherwise. The order of additions is fixed, so results are
 * the same bits every time. Accumulation is in f32.
 */
import { isFloat } from '../base/dtype';
import { opError } from '../base/errors';
import { broadcastReader, normaliseAxis, type Shape, sameShape, showShape, sizeOf } from '../base/shape';
import type { Target } from '../base/target';
import { roundUp } from '../base/whole-numbers';
import type { Kernel, LowerArgs, Op, Program, Scratch, Storage, Tensor } from '../graph/op';
import { checkList, checkTensor, record1 } from '../graph/record';
import { type ColumnLayout, columnKernel, wideLayout } from '../kernels/column-kernel';
import { programWidth, writeProgram } from '../kernels/elementwise-program';
import { elementType, type KernelBuilder, kernelBuilder, scratch } from '../kernels/kernel-builder';
import { rowKernel, teamSize } from '../kernels/row-kernel';
import { floatType } from '../kernels/vectors';
import { reshape } from './views';

export type Kind = 'sum' | 'max' | 'min';
export interface ReduceAttrs {
  readonly kind: Kind;
  readonly axis: number;
}

/** Input seen as [outer, n, inner] around `axis`. */
const split = (shape: Shape, axis: number): [outer: number, n: number, inner: number] => [
  sizeOf(shape.slice(0, axis)),
  shape[axis]!,
  sizeOf(shape.slice(axis + 1)),
];

const IDENTITY: Readonly<Record<Kind, number>> = {
  sum: 0,
  max: Number.NEGATIVE_INFINITY,
  min: Number.POSITIVE_INFINITY,
};
const combine64: Readonly<Record<Kind, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  max: Math.max,
  min: Math.min,
};
const TEAM: Readonly<Record<Kind, string>> = { sum: 'rowSum', max: 'rowMax', min: 'rowMin' };
const combineWgsl = (kind: Kind, a: string, b: string): string =>
  kind === 'sum' ? `${a} + ${b}` : `${kind}(${a}, ${b})`;

/** The op behind every reduction; its gradient is that of a sum. */
export const reduceOp: Op<ReduceAttrs> = {
  name: 'reduce',
  infer([x], { kind, axis }) {
    if (!isFloat(x!.dtype)) opError('dtype', kind, `needs floats, got ${x!.dtype}; cast it`);
    return [{ shape: x!.shape.map((dim, i) => (i === axis ? 1 : dim)), dtype: x!.dtype }];
  },
  reference([x], { kind, axis }) {
    const [outer, n, inner] = split(x!.shape, axis);
    const out = new Float64Array(outer * inner).fill(IDENTITY[kind]);
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < n; i++)
        for (let j = 0; j < inner; j++)
          out[o * inner + j] = combine64[kind](out[o * inner + j]!, x!.data[(o * n + i) * inner + j]!);
    return [out];
  },
  gradient: ({ inputs, grads }) => [broadcastTo(grads[0]!, inputs[0]!.shape)],
  fusesEpilogue: true,
  columnSum([x], { kind, axis }) {
    const dims = split(x!.shape, axis);
    return kind === 'sum' && dims[2] > 1 ? dims : undefined;
  },
  lower,
};

/** Elements that one thread, or one team of lanes, reduces in a row on a software adapter. */
const CHUNK = 512;
/** Subgroups that keep a software adapter's processors busy. */
const BUSY_SUBGROUPS = 4;
/** From this row length on a team of lanes is worth it. */
const TEAM_ROW = 32;
/** Steps of a lane along a long row of a GPU: as few as fill it with threads, within these. */
const ENOUGH_THREADS = 65536;
const LEAST_STEPS = 4;
const MOST_STEPS = 64;

function lower({ inputs: [x], attrs: { kind, axis }, target, epilogue, begun }: LowerArgs<ReduceAttrs>): Kernel[] {
  const [outer, n, inner] = split(x!.shape, axis);
  const kernels: Kernel[] = [];
  let [from, count]: [Storage, number] = begun ? [begun, begun.shape[1]!] : [x!, n];
  for (;;) {
    const pass = inner === 1 && count >= TEAM_ROW ? rowPass : columnPass;
    const dims: Dims = [outer, count, inner];
    const layout = pass === rowPass ? { parts: rowParts(dims, target), sharers: 1 } : columnLayout(dims, target);
    const { parts } = layout;
    const to = parts > 1 ? scratch([outer, parts, inner], 'f32') : epilogue!;
    kernels.push(pass({ kind, from, to, dims, layout, target }));
    if (parts === 1) return kernels;
    [from, count] = [to as Storage, parts];
  }
}

/** A long row with few others is reduced in several passes, or too few threads would do all the work. */
function rowParts([outer, n]: Dims, target: Target): number {
  if (target.family === 'cpu') return chunksOf([outer, n, 1], target);
  const width = n % 4 === 0 ? 4 : 1;
  const steps = Math.min(Math.max(Math.ceil((outer * n) / width / ENOUGH_THREADS), LEAST_STEPS), MOST_STEPS);
  const lanes = teamSize(target, n / width);
  // of rows that one team goes through in few steps, or that are many, none is divided
  const most = outer >= (2 * ENOUGH_THREADS) / lanes ? MOST_STEPS : 2 * LEAST_STEPS;
  return n <= lanes * most * width ? 1 : Math.ceil(n / (lanes * steps * width));
}

const columnLayout = (dims: Dims, target: Target): ColumnLayout =>
  target.family === 'gpu' ? wideLayout(inUnits(dims)) : { parts: chunksOf(dims, target), sharers: 1 };

const inUnits = ([outer, n, inner]: Dims): Dims => [outer, n, inner % 4 === 0 ? inner / 4 : inner];

/** Passes on a software adapter: it is busy with a few subgroups, and another kernel costs it more than the rest of these. */
function chunksOf([outer, n, inner]: Dims, { subgroupSize = 1 }: Target): number {
  if (outer * inner >= 4096 || n <= CHUNK) return 1;
  if (inner % 4 === 0 && (outer * inner) / 4 >= BUSY_SUBGROUPS * subgroupSize) return 1;
  return Math.ceil(n / CHUNK);
}

type Dims = readonly [outer: number, n: number, inner: number];

interface Pass {
  readonly kind: Kind;
  readonly from: Storage;
  /** Where results go: scratch memory, or the program that takes them in. */
  readonly to: Scratch | Program;
  readonly dims: Dims;
  readonly layout: ColumnLayout;
  readonly target: Target;
}

const widthOf = (to: Scratch | Program, wanted: 1 | 4): 1 | 4 =>
  'values' in to ? (Math.min(programWidth(to), wanted) as 1 | 4) : wanted;

/** Declarations and the statement that puts result `i`, of `width` elements, where it belongs. */
function writeResult(
  k: KernelBuilder,
  to: Scratch | Program,
  width: 1 | 4,
): { declarations: string; put: (i: string, value: string) => string } {
  if ('values' in to) return { declarations: writeProgram(k, to, width), put: (i, value) => `emit(${i}, ${value});` };
  const sink = k.write(to, elementType(to, width));
  return { declarations: '', put: (i, value) => `${sink}[${i}] = ${value};` };
}

/** Neighbouring threads read neighbouring columns. */
function columnPass({ kind, from, to, dims: [outer, n, inner], layout, target }: Pass): Kernel {
  const width = widthOf(to, inner % 4 === 0 ? 4 : 1);
  const k = kernelBuilder(kind, target);
  const F = floatType(width);
  const source = k.read(from, elementType(from, width));
  const { declarations, put } = writeResult(k, to, width);
  return columnKernel(k, {
    dims: [outer, n, inner / width],
    layout,
    type: F,
    start: `${F}(${k.uniformF32(IDENTITY[kind])})`,
    combine: (a, b) => combineWgsl(kind, a, b),
    row: (at) => ({ values: [`${F}(${source}[${at}])`] }),
    put: (at, [result]) => put(at, result!),
    declarations,
    kind: 'reduction',
    flops: outer * n * inner,
  });
}

/** A team of lanes for each result: neighbouring lanes read neighbouring elements of the row. */
function rowPass({ kind, from, to, dims: [outer, n], layout: { parts: chunks }, target }: Pass): Kernel {
  const size = target.family === 'gpu' && n % 4 === 0 ? roundUp(n / chunks, 4) : Math.ceil(n / chunks);
  const width = n % 4 === 0 && size % 4 === 0 ? 4 : 1;
  const k = kernelBuilder(kind, target);
  const F = floatType(width);
  const source = k.read(from, elementType(from, width));
  const { declarations, put } = writeResult(k, to, 1);
  const [columns, parts, step] = [n / width, chunks, size / width].map(k.uniform);
  const lanes =
    width === 4 ? ['x', 'y', 'z', 'w'].map((lane) => `acc.${lane}`).reduce((a, b) => combineWgsl(kind, a, b)) : 'acc';
  const body = `
  let first = (row % ${parts}) * ${step};
  let last = min(first + ${step}, ${columns});
  let base = row / ${parts} * ${columns};
  var acc = ${F}(${k.uniformF32(IDENTITY[kind])});
  for (var i = first + lane; i < last; i += LANES) { acc = ${combineWgsl(kind, 'acc', `${F}(${source}[base + i])`)}; }
  let result = ${TEAM[kind]}(${lanes});
  if (lane == 0u) { ${put('row', 'result')} }`;
  return rowKernel(k, {
    body,
    declarations,
    rows: outer * chunks,
    steps: size / width,
    flops: outer * n,
    kind: 'reduction',
  });
}

export interface ReduceOptions {
  /** Keep reduced axes as dimensions of size 1 (default false). */
  readonly keepDims?: boolean;
}

/** Reduces `axes` (default all) with `op`; neighbouring ones collapse into one reduction. */
export function reduce(
  op: Op<ReduceAttrs>,
  kind: Kind,
  x: Tensor,
  axes: readonly number[] | undefined,
  { keepDims = false }: ReduceOptions = {},
): Tensor {
  checkTensor(kind, x);
  if (axes) checkList(kind, 'axes', axes);
  const list = (axes ?? x.shape.map((_, i) => i)).map(
    (axis) =>
      normaliseAxis(axis, x.shape.length) ??
      opError('argument', kind, `axis ${axis} is out of range for ${showShape(x.shape)}`),
  );
  if (kind !== 'sum' && list.some((axis) => x.shape[axis] === 0))
    opError('shape', kind, `has no value over the empty axis of ${showShape(x.shape)}`);
  const wanted = new Set(list);
  const final = x.shape.flatMap((dim, i) => (wanted.has(i) ? (keepDims ? [1] : []) : [dim]));
  // Neighbouring reduced axes collapse into one.
  let current = x;
  for (let last = x.shape.length - 1; last >= 0; last--) {
    if (!wanted.has(last)) continue;
    let first = last;
    while (first > 0 && wanted.has(first - 1)) first--;
    const merged = [
      ...current.shape.slice(0, first),
      sizeOf(current.shape.slice(first, last + 1)),
      ...current.shape.slice(last + 1),
    ];
    const ones = new Array<number>(last - first).fill(1);
    const reduced = record1(op, [reshape(current, merged)], { kind, axis: first });
    current = reshape(reduced, [...reduced.shape.slice(0, first), ...ones, ...reduced.shape.slice(first)]);
    last = first;
  }
  return reshape(current, final);
}

/** Sum over `axes` (default all). */
export const sum = (x: Tensor, axes?: readonly number[], options?: ReduceOptions): Tensor =>
  reduce(reduceOp, 'sum', x, axes, options);

const broadcastOp: Op<{ shape: Shape }> = {
  name: 'broadcast',
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  reference([x], { shape }) {
    const read = broadcastReader(x!.shape, shape, x!.data);
    return [new Float64Array(sizeOf(shape)).map((_, i) => read(i))];
  },
  expression: ([x]) => x!,
  gradient: ({ inputs, grads }) => [sumTo(grads[0]!, inputs[0]!.shape)],
};

/** x stretched to `shape` (NumPy rules). */
export const broadcastTo = (x: Tensor, shape: Shape): Tensor =>
  sameShape(checkTensor('broadcastTo', x).shape, checkList('broadcastTo', 'shape', shape))
    ? x
    : record1(broadcastOp, [x], { shape });

/** Sums the dimensions along which a tensor of `shape` was stretched: the adjoint of broadcasting. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.shape.length - shape.length;
  const axes = x.shape.flatMap((dim, i) => (i < lead || (shape[i - lead] === 1 && dim !== 1) ? [i] : []));
  return reshape(axes.length > 0 ? sum(x, axes) : x, shape);
}
