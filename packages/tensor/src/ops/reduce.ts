/**
 * Sums and other reductions over axes, and broadcasting, their adjoint. Any set of axes is brought to the form [outer, n, inner] with the
 * middle dimension reduced: a row reduction when inner is 1, a column reduction otherwise. The order of additions is fixed, so results are
 * the same bits every time. Accumulation is in f32.
 */
import { isFloat } from '../base/dtype';
import { opError } from '../base/errors';
import { broadcastReader, normaliseAxis, type Shape, sameShape, showShape, sizeOf } from '../base/shape';
import type { Target } from '../base/target';
import type { Kernel, LowerArgs, Op, Storage, Tensor } from '../graph/op';
import { record1 } from '../graph/record';
import { elementType, kernelBuilder, scratch } from '../kernels/kernel-builder';
import { rowKernel } from '../kernels/row-kernel';
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
  lower,
};

/** Elements that one thread, or one team of lanes, reduces in a row. */
const CHUNK = 512;
/** From this row length on a team of lanes is worth it. */
const TEAM_ROW = 32;

function lower({ inputs: [x], outputs: [out], attrs: { kind, axis }, target }: LowerArgs<ReduceAttrs>): Kernel[] {
  const [outer, n, inner] = split(x!.shape, axis);
  const kernels: Kernel[] = [];
  let [from, count]: [Storage, number] = [x!, n];
  for (;;) {
    // Long reductions with few results run in several passes, or too few threads would do all the work.
    const chunks = outer * inner < 4096 && count > CHUNK ? Math.ceil(count / CHUNK) : 1;
    const to = chunks > 1 ? scratch([outer, chunks, inner], 'f32') : out!;
    kernels.push(
      (inner === 1 && count >= TEAM_ROW ? rowPass : columnPass)(kind, from, to, [outer, count, inner], chunks, target),
    );
    if (chunks === 1) return kernels;
    [from, count] = [to, chunks];
  }
}

type Pass = (
  kind: Kind,
  from: Storage,
  to: Storage,
  dims: readonly [outer: number, n: number, inner: number],
  chunks: number,
  target: Target,
) => Kernel;

/** A thread for each result: neighbouring threads read neighbouring columns. */
const columnPass: Pass = (kind, from, to, [outer, n, inner], chunks, target) => {
  const width = inner % 4 === 0 ? 4 : 1;
  const k = kernelBuilder(kind, target);
  const F = floatType(width);
  const source = k.read(from, elementType(from, width));
  const sink = k.write(to, elementType(to, width));
  const total = (outer * chunks * inner) / width;
  const [columns, parts, size, count] = [inner / width, chunks, Math.ceil(n / chunks), n].map(k.uniform);
  const body = `
  if (thread >= ${k.uniform(total)}) { return; }
  let column = thread % ${columns};
  let part = (thread / ${columns}) % ${parts};
  let row = thread / ${columns} / ${parts};
  let first = part * ${size};
  let last = min(first + ${size}, ${count});
  var acc = ${F}(${k.uniformF32(IDENTITY[kind])});
  for (var i = first; i < last; i++) { acc = ${combineWgsl(kind, 'acc', `${F}(${source}[(row * ${count} + i) * ${columns} + column])`)}; }
  ${sink}[thread] = ${elementType(to, width)}(acc);`;
  return k.build({ body, workgroupSize: 64, workgroups: Math.ceil(total / 64), flops: outer * n * inner });
};

/** A team of lanes for each result: neighbouring lanes read neighbouring elements of the row. */
const rowPass: Pass = (kind, from, to, [outer, n], chunks, target) => {
  const size = Math.ceil(n / chunks);
  const width = n % 4 === 0 && size % 4 === 0 ? 4 : 1;
  const k = kernelBuilder(kind, target);
  const F = floatType(width);
  const source = k.read(from, elementType(from, width));
  const sink = k.write(to);
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
  if (lane == 0u) { ${sink}[row] = ${to.dtype}(result); }`;
  return rowKernel(k, { body, rows: outer * chunks, steps: size / width, flops: outer * n });
};

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
  sameShape(x.shape, shape) ? x : record1(broadcastOp, [x], { shape });

/** Sums the dimensions along which a tensor of `shape` was stretched: the adjoint of broadcasting. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.shape.length - shape.length;
  const axes = x.shape.flatMap((dim, i) => (i < lead || (shape[i - lead] === 1 && dim !== 1) ? [i] : []));
  return reshape(axes.length > 0 ? sum(x, axes) : x, shape);
}
