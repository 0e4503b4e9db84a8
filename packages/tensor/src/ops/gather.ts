/**
 * Rows by index, and the adjoint, rows added by index. `scatterAddRows` is deterministic without atomics: a first kernel looks up where in
 * the list each output row first and last occurs, a second adds the contributions between the two in list order: one, where indices do not
 * repeat.
 */
import { isFloat } from '../base/dtype';
import { opError } from '../base/errors';
import { showShape, sizeOf } from '../base/shape';
import type { Op, Tensor } from '../graph/op';
import { record1 } from '../graph/record';
import { indexDivision } from '../kernels/index-division';
import { elementType, kernelBuilder, scratch } from '../kernels/kernel-builder';
import { unitKernel } from '../kernels/unit-kernel';
import { floatType } from '../kernels/vectors';

const rowSize = (x: { shape: readonly number[] }): number => sizeOf(x.shape.slice(1));

function checkIndices(op: string, indices: { shape: readonly number[]; dtype: string }): void {
  if (indices.shape.length !== 1 || (indices.dtype !== 'u32' && indices.dtype !== 'i32'))
    opError('dtype', op, `indices must be a list of u32 or i32, got ${indices.dtype} ${showShape(indices.shape)}`);
}

const gatherOp: Op<object> = {
  name: 'gatherRows',
  infer([x, indices]) {
    checkIndices('gatherRows', indices!);
    if (x!.shape.length === 0 || (x!.shape[0] === 0 && indices!.shape[0]! > 0))
      opError('shape', 'gatherRows', `there are no rows in ${showShape(x!.shape)}`);
    return [{ shape: [indices!.shape[0]!, ...x!.shape.slice(1)], dtype: x!.dtype }];
  },
  reference([x, indices]) {
    const width = rowSize(x!);
    const out = new Float64Array(indices!.data.length * width);
    const last = x!.shape[0]! - 1;
    indices!.data.forEach((index, i) => {
      const row = index >= 0 && index <= last ? index : last;
      out.set(x!.data.subarray(row * width, (row + 1) * width), i * width);
    });
    return [out];
  },
  gradient: ({ inputs, grads }) => [
    isFloat(inputs[0]!.dtype) ? scatterAddRows(grads[0]!, inputs[1]!, inputs[0]!.shape[0]!) : undefined,
    undefined,
  ],
  lower({ inputs: [x, indices], outputs: [out], target }) {
    const width = rowSize(x!) % 4 === 0 ? 4 : 1;
    const k = kernelBuilder('gatherRows', target);
    const source = k.read(x!, elementType(x!, width));
    const list = k.read(indices!);
    const sink = k.write(out!, elementType(out!, width));
    const units = sizeOf(out!.shape) / width;
    const columns = rowSize(x!) / width;
    const { quotient, remainder } = indexDivision(k, columns, units);
    const row = `min(u32(${list}[${quotient('i')}]), ${k.uniform(x!.shape[0]! - 1)})`;
    const body = `  ${sink}[i] = ${source}[${row} * ${k.uniform(columns)} + ${remainder('i')}];`;
    const touched = new Map([[x!, sizeOf(out!.shape)]]);
    return [unitKernel(k, { units, body, touched })];
  },
};

/** Rows `indices` [n] (u32 or i32) of x [R, ...] -> [n, ...]. An index out of range reads the last row. */
export const gatherRows = (x: Tensor, indices: Tensor): Tensor => record1(gatherOp, [x, indices], {});

const scatterOp: Op<{ rows: number }> = {
  name: 'scatterAddRows',
  infer([x, indices], { rows }) {
    checkIndices('scatterAddRows', indices!);
    if (indices!.shape[0] !== x!.shape[0])
      opError('shape', 'scatterAddRows', `${indices!.shape[0]} indices for ${x!.shape[0]} rows`);
    return [{ shape: [rows, ...x!.shape.slice(1)], dtype: x!.dtype }];
  },
  reference([x, indices], { rows }) {
    const width = rowSize(x!);
    const out = new Float64Array(rows * width);
    indices!.data.forEach((row, i) => {
      if (row < 0 || row >= rows) return;
      for (let j = 0; j < width; j++) out[row * width + j]! += x!.data[i * width + j]!;
    });
    return [out];
  },
  gradient: ({ inputs, grads }) => [gatherRows(grads[0]!, inputs[1]!), undefined],
  lower({ inputs: [x, indices], outputs: [out], target }) {
    const rows = out!.shape[0]!;
    const count = indices!.shape[0]!;
    const ranges = scratch([rows, 2], 'u32');
    const find = kernelBuilder('scatterAddRows find', target);
    const [I, found] = [find.read(indices!), find.write(ranges, 'vec2<u32>')];
    const search = `
  if (thread >= ${find.uniform(rows)}) { return; }
  var first = ${find.uniform(count)};
  var end = 0u;
  for (var i = 0u; i < ${find.uniform(count)}; i++) {
    if (u32(${I}[i]) == thread) { first = min(first, i); end = i + 1u; }
  }
  ${found}[thread] = vec2<u32>(first, end);`;
    const width = rowSize(x!) % 4 === 0 ? 4 : 1;
    const k = kernelBuilder('scatterAddRows', target);
    const [source, list, range] = [k.read(x!, elementType(x!, width)), k.read(indices!), k.read(ranges, 'vec2<u32>')];
    const sink = k.write(out!, elementType(out!, width));
    const units = sizeOf(out!.shape) / width;
    const columns = k.uniform(rowSize(x!) / width);
    const { quotient, remainder } = indexDivision(k, rowSize(x!) / width, units);
    const F = floatType(width);
    const add = `
  let row = ${quotient('i')};
  let column = ${remainder('i')};
  let range = ${range}[row];
  var acc = ${F}(0.0);
  for (var j = range.x; j < range.y; j++) {
    if (u32(${list}[j]) == row) { acc += ${F}(${source}[j * ${columns} + column]); }
  }
  ${sink}[i] = ${elementType(out!, width)}(acc);`;
    return [
      find.build({ body: search, workgroupSize: 64, workgroups: Math.ceil(rows / 64), serial: count }),
      // as many as fall on a row where they are spread evenly
      unitKernel(k, { units, body: add, serial: Math.ceil(count / rows), flops: sizeOf(x!.shape) }),
    ];
  },
};

/** Zeros [rows, ...] with row i of x [n, ...] added to row `indices[i]`; indices may repeat, those out of range are dropped. */
export const scatterAddRows = (x: Tensor, indices: Tensor, rows: number): Tensor =>
  record1(scatterOp, [x, indices], { rows });
