/**
 * log sum exp of a matrix along rows or columns, with a shift per column or row. No intermediate is written:
 *   rowLogSums:     s_r = log sum_k exp(x_rk + c_k)   (and, chained over column blocks of a wider matrix, log(exp s_r + exp previous_r))
 *   columnLogSums:  t_k = log sum_r exp(x_rk + d_r)
 * Each keeps a running maximum and a sum relative to it, so x is read once and nothing overflows. They carry Sinkhorn-Knopp in the log domain; no gradient.
 */
import { opError } from '../../base/errors';
import { showShape } from '../../base/shape';
import type { Target } from '../../base/target';
import { roundUp } from '../../base/whole-numbers';
import type { Kernel, LowerArgs, NdArray, Op, Program, Scratch, Spec, Tensor } from '../../graph/op';
import { record1 } from '../../graph/record';
import { programWidth, writeProgram } from '../../kernels/elementwise-program';
import { elementType, kernelBuilder, scratch } from '../../kernels/kernel-builder';
import { rowKernel } from '../../kernels/row-kernel';
import { threadsOfGroup } from '../../kernels/unit-kernel';
import { flatMax, flatSum, floatType } from '../../kernels/vectors';

const LOWEST = '-3.4028234e38';

export function logSum64(values: Iterable<number>): number {
  let top = Number.NEGATIVE_INFINITY;
  let total = 0;
  for (const value of values) {
    if (value > top) {
      total *= Math.exp(top - value);
      top = value;
    }
    total += top === Number.NEGATIVE_INFINITY ? 0 : Math.exp(value - top);
  }
  return top + Math.log(total);
}

/** WGSL `log_add(a, b)`: log(exp a + exp b). */
export const LOG_ADD: string =
  'fn log_add(a: f32, b: f32) -> f32 { let top = max(a, b); return top + log(exp(a - top) + exp(b - top)); }';

function checkShift(op: string, x: Spec, shift: Spec, axis: 0 | 1): void {
  if (x.shape.length !== 2 || shift.shape.length !== 1 || shift.shape[0] !== x.shape[axis])
    opError(
      'shape',
      op,
      `needs [R, K] and a shift [${axis === 0 ? 'R' : 'K'}], got ${showShape(x.shape)} and ${showShape(shift.shape)}`,
    );
}

const rowLogSumsOp: Op<object> = {
  name: 'rowLogSums',
  infer([x, shift]) {
    checkShift('rowLogSums', x!, shift!, 1);
    return [{ shape: [x!.shape[0]!], dtype: 'f32' }];
  },
  reference([x, shift, previous]) {
    const [R, K] = x!.shape as [number, number];
    return [
      Float64Array.from({ length: R }, (_, r) => {
        const row = Array.from(shift!.data, (value, k) => value + x!.data[r * K + k]!);
        return logSum64(previous ? [previous.data[r]!, ...row] : row);
      }),
    ];
  },
  fusesEpilogue: true,
  lower({ inputs: [x, shift, previous], target, epilogue }) {
    const [rows, columns] = x!.shape as [number, number];
    const width = columns % 4 === 0 ? 4 : 1;
    const k = kernelBuilder('rowLogSums', target);
    const [X, C] = [k.read(x!, elementType(x!, width)), k.read(shift!, elementType(shift!, width))];
    const P = previous ? k.read(previous) : undefined;
    const program = writeProgram(k, epilogue!, 1);
    const n = k.uniform(columns / width);
    const F = floatType(width);
    const body = `
  let base = row * ${n};
  var high = ${LOWEST}; var total = 0.0;
  for (var c = lane; c < ${n}; c += LANES) {
    let v = ${F}(${X}[base + c]) + ${C}[c];
    let top = max(high, ${flatMax('v', width)});
    let e = exp(v - top);
    total = total * exp(high - top) + ${flatSum('e', width)};
    high = top;
  }
  let most = rowMax(high);
  let sum = rowSum(total * exp(high - most));
  if (lane == 0u) { let own = most + log(sum); emit(row, ${P ? `log_add(own, ${P}[row])` : 'own'}); }`;
    return [
      rowKernel(k, {
        body,
        declarations: P ? `${program}\n${LOG_ADD}` : program,
        rows,
        steps: columns / width,
        flops: 6 * rows * columns,
        kind: 'prototypes',
      }),
    ];
  },
};

/** log sum_k exp(x[r, k] + shift[k]) of x [R, K] -> f32 [R]; `previous` [R] is a log sum over other columns, which is added in. */
export const rowLogSums = (x: Tensor, shift: Tensor, previous?: Tensor): Tensor =>
  record1(rowLogSumsOp, previous ? [x, shift, previous] : [x, shift], {});

const columnLogSumsOp: Op<object> = {
  name: 'columnLogSums',
  infer([x, shift]) {
    checkShift('columnLogSums', x!, shift!, 0);
    return [{ shape: [x!.shape[1]!], dtype: 'f32' }];
  },
  reference: ([x, shift]) => [columnReference(x!, shift!)],
  fusesEpilogue: true,
  lower: lowerColumns,
};

function columnReference(x: NdArray, shift: NdArray): Float64Array {
  const [R, K] = x.shape as [number, number];
  return Float64Array.from({ length: K }, (_, k) =>
    logSum64(Array.from({ length: R }, (_, r) => x.data[r * K + k]! + shift.data[r]!)),
  );
}

/** Threads that fill an adapter. */
const ENOUGH_THREADS = { cpu: 32, gpu: 65536 } as const;
const LEAST_ROWS = 32;
/** Rows of a thread, on a GPU: four of them are a step of its loop, which has 64 at most. */
const MOST_ROWS = { cpu: 1e9, gpu: 256 } as const;

/** A thread takes one vector of columns and a stretch of the rows, four at a time; a second kernel joins the stretches, if there are several. */
function lowerColumns({ inputs: [x, shift], target, epilogue }: LowerArgs<object>): Kernel[] {
  const [rows, columns] = x!.shape as [number, number];
  const vector = columns % 4 === 0 ? 4 : 1;
  const wanted = Math.min(Math.ceil((ENOUGH_THREADS[target.family] * vector) / columns), Math.ceil(rows / LEAST_ROWS));
  const size = Math.min(roundUp(rows / wanted, 4), MOST_ROWS[target.family]);
  const parts = Math.ceil(rows / size);
  const width = parts > 1 || programWidth(epilogue!) === 4 ? vector : 1;
  const units = columns / width;
  const k = kernelBuilder('columnLogSums', target);
  const [X, D] = [k.read(x!, elementType(x!, width)), k.read(shift!)];
  const partial = scratch([parts, columns], 'f32');
  const declarations = parts > 1 ? '' : writeProgram(k, epilogue!, width);
  const put =
    parts > 1 ? `${k.write(partial, elementType(partial, width))}[thread] = result;` : 'emit(thread, result);';
  const [n, R] = [k.uniform(units), k.uniform(rows)];
  const F = floatType(width);
  const load = (j: number) =>
    `let i${j} = min(r + ${j}u, last - 1u); let v${j} = select(${F}(${LOWEST}), ${F}(${X}[i${j} * ${n} + column]) + ${D}[i${j}], r + ${j}u < last);`;
  const body = `
  if (thread >= ${k.uniform(units * parts)}) { return; }
  let column = thread % ${n};
  let first = thread / ${n} * ${k.uniform(size)};
  let last = min(first + ${k.uniform(size)}, ${R});
  var high = ${F}(${LOWEST}); var total = ${F}(0.0);
  for (var r = first; r < last; r += 4u) {
    ${[0, 1, 2, 3].map(load).join('\n    ')}
    let top = max(high, max(max(v0, v1), max(v2, v3)));
    total = total * exp(high - top) + (exp(v0 - top) + exp(v1 - top)) + (exp(v2 - top) + exp(v3 - top));
    high = top;
  }
  let result = high + log(total);
  ${put}`;
  const workgroupSize = threadsOfGroup(units * parts, target);
  const workgroups = Math.ceil((units * parts) / workgroupSize);
  const sums = k.build({
    declarations,
    body,
    workgroupSize,
    workgroups,
    kind: 'prototypes',
    flops: 6 * rows * columns,
    serial: Math.ceil(Math.min(size, rows) / 4),
  });
  return parts > 1 ? [sums, joinColumns(partial, epilogue!, parts, target)] : [sums];
}

function joinColumns(partial: Scratch, epilogue: Program, parts: number, target: Target): Kernel {
  const columns = partial.shape[1]!;
  const k = kernelBuilder('columnLogSums join', target);
  const P = k.read(partial);
  const declarations = writeProgram(k, epilogue, 1);
  const [n, count] = [k.uniform(columns), k.uniform(parts)];
  const body = `
  if (thread >= ${n}) { return; }
  var high = ${LOWEST};
  for (var i = 0u; i < ${count}; i++) { high = max(high, ${P}[i * ${n} + thread]); }
  var total = 0.0;
  for (var i = 0u; i < ${count}; i++) { total += exp(${P}[i * ${n} + thread] - high); }
  emit(thread, high + log(total));`;
  const workgroups = Math.ceil(columns / 64);
  return k.build({
    declarations,
    body,
    workgroupSize: 64,
    workgroups,
    kind: 'prototypes',
    flops: 4 * parts * columns,
    serial: parts,
  });
}

/** log sum_r exp(x[r, k] + shift[r]) of x [R, K] -> f32 [K]. */
export const columnLogSums = (x: Tensor, shift: Tensor): Tensor => record1(columnLogSumsOp, [x, shift], {});
