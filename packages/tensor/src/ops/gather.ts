/**
 * Rows by index, and the adjoint, rows added by index. Elementwise ops behind either join its kernel, so that a sum with what is scattered is one pass. Scattering is
 * deterministic: a list of positions (`rowPositions`) says where in the indices each output row first and last occurs, and what lies
 * between the two is added in list order: one row, where indices do not repeat. Positions are found by integer minima and maxima, which do not depend on the order
 * that threads come in.
 */
import { isFloat } from '../base/dtype';
import { opError } from '../base/errors';
import { sameShape, showShape, sizeOf } from '../base/shape';
import type { Target } from '../base/target';
import type { Kernel, NdArray, Op, Spec, Tensor } from '../graph/op';
import { record1 } from '../graph/record';
import { programWidth, summingKernel, valueType, writeProgram } from '../kernels/elementwise-program';
import { indexDivision } from '../kernels/index-division';
import { elementType, type KernelBuilder, kernelBuilder } from '../kernels/kernel-builder';
import { rowKernel } from '../kernels/row-kernel';
import { unitKernel } from '../kernels/unit-kernel';

const rowSize = (x: { shape: readonly number[] }): number => sizeOf(x.shape.slice(1));

function checkIndices(op: string, indices: { shape: readonly number[]; dtype: string }): void {
  if (indices.shape.length !== 1 || (indices.dtype !== 'u32' && indices.dtype !== 'i32'))
    opError('dtype', op, `indices must be a list of u32 or i32, got ${indices.dtype} ${showShape(indices.shape)}`);
}

function checkPositions(op: string, positions: Spec | undefined, rows: number): void {
  if (positions && (positions.dtype !== 'u32' || !sameShape(positions.shape, [rows, 2])))
    opError(
      'shape',
      op,
      `positions must be those of ${rows} rows, u32 ${showShape([rows, 2])}, got ${positions.dtype} ${showShape(positions.shape)}`,
    );
}

const positionsOp: Op<{ rows: number }> = {
  name: 'rowPositions',
  differentiable: false,
  infer([indices], { rows }) {
    checkIndices('rowPositions', indices!);
    return [{ shape: [rows, 2], dtype: 'u32' }];
  },
  reference([indices], { rows }) {
    const positions = new Float64Array(2 * rows).map((_, i) => (i % 2 === 0 ? indices!.data.length : 0));
    indices!.data.forEach((row, i) => {
      if (row < 0 || row >= rows) return;
      positions[2 * row] = Math.min(positions[2 * row]!, i);
      positions[2 * row + 1] = i + 1;
    });
    return [positions];
  },
  lower: ({ inputs: [indices], outputs: [positions], target }) =>
    indices!.shape[0]! <= SHORT_LIST
      ? [searchRows(indices!, positions!, target)]
      : markRows(indices!, positions!, target),
};

/** A list of so many entries is looked through by a team of lanes for every row; of a longer one, each entry marks its row. */
const SHORT_LIST = 1024;

function searchRows(indices: Tensor, positions: Tensor, target: Target): Kernel {
  const count = indices.shape[0]!;
  const k = kernelBuilder('rowPositions', target);
  const [list, found, n] = [k.read(indices), k.write(positions, 'vec2<u32>'), k.uniform(count)];
  const body = `
  var first = ${n}; var end = 0u;
  for (var i = lane; i < ${n}; i += LANES) { if (u32(${list}[i]) == row) { first = min(first, i); end = i + 1u; } }
  let least = rowMin(f32(first)); let most = rowMax(f32(end));
  if (lane == 0u) { ${found}[row] = vec2<u32>(u32(least), u32(most)); }`;
  return rowKernel(k, { body, rows: positions.shape[0]!, steps: count, kind: 'elementwise' });
}

function markRows(indices: Tensor, positions: Tensor, target: Target): Kernel[] {
  const [count, rows] = [indices.shape[0]!, positions.shape[0]!];
  const none = kernelBuilder('rowPositions none', target);
  const cleared = none.write(positions, 'vec2<u32>');
  const absent = `  ${cleared}[i] = vec2<u32>(${none.uniform(count)}, 0u);`;
  const k = kernelBuilder('rowPositions', target);
  const [list, found] = [k.read(indices), k.update(positions, 'atomic<u32>')];
  const mark = `
  let row = u32(${list}[i]);
  if (row < ${k.uniform(rows)}) { atomicMin(&${found}[2u * row], i); atomicMax(&${found}[2u * row + 1u], i + 1u); }`;
  return [unitKernel(none, { units: rows, body: absent }), unitKernel(k, { units: count, body: mark })];
}

/**
 * Where each of `rows` rows occurs in `indices` [n], as u32 [rows, 2]: the first position and one past the last; (n, 0) for a row that does not. `gatherRows` and
 * `scatterAddRows` of the same indices take it, so that it is found once.
 */
export const rowPositions = (indices: Tensor, rows: number): Tensor => record1(positionsOp, [indices], { rows });

export const gatherOp: Op<object> = {
  name: 'gatherRows',
  infer([x, indices, positions]) {
    checkIndices('gatherRows', indices!);
    if (x!.shape.length === 0 || (x!.shape[0] === 0 && indices!.shape[0]! > 0))
      opError('shape', 'gatherRows', `there are no rows in ${showShape(x!.shape)}`);
    checkPositions('gatherRows', positions, x!.shape[0]!);
    return [{ shape: [indices!.shape[0]!, ...x!.shape.slice(1)], dtype: x!.dtype }];
  },
  reference: ([x, indices]) => [gathered64(x!, indices!)],
  gradient: ({ inputs: [x, indices, positions], grads }) => [
    isFloat(x!.dtype) ? scatterAddRows(grads[0]!, indices!, x!.shape[0]!, positions) : undefined,
    undefined,
    undefined,
  ],
  fusesEpilogue: true,
  // a vector of four must not cross rows
  beginsSums: ([x]) => rowSize(x!) % 4 === 0,
  lower({ inputs: [x, indices], outputs: [out], target, epilogue, sums }) {
    const root = gatheredUnits(x!, indices!, out!);
    if (sums) return [summingKernel('gatherRows', epilogue!, sums, target, root)];
    const width = rowSize(x!) % 4 === 0 ? programWidth(epilogue!) : 1;
    const k = kernelBuilder('gatherRows', target);
    const at = root.at(k, width);
    const declarations = writeProgram(k, epilogue!, width);
    const units = sizeOf(out!.shape) / width;
    return [unitKernel(k, { units, body: `  emit(i, ${at('i')});`, declarations, touched: root.touched })];
  },
};

/** The gathered rows, unit by unit. */
const gatheredUnits = (x: Tensor, indices: Tensor, out: Tensor) => ({
  at(k: KernelBuilder, width: 1 | 4) {
    const source = k.read(x, elementType(x, width));
    const columns = rowSize(x) / width;
    const { quotient, remainder } = indexDivision(k, columns, sizeOf(out.shape) / width);
    const [row, perRow] = [listedRow(k, indices, x), k.uniform(columns)];
    return (i: string) => `${valueType(out.dtype)}(${source}[${row(quotient(i))} * ${perRow} + ${remainder(i)}])`;
  },
  touched: new Map([[x, sizeOf(out.shape)]]),
});

/** The rows of x that a list names, in f64. */
export function gathered64(x: NdArray, indices: NdArray): Float64Array {
  const width = rowSize(x);
  const out = new Float64Array(indices.data.length * width);
  const last = x.shape[0]! - 1;
  indices.data.forEach((index, i) => {
    const row = index >= 0 && index <= last ? index : last;
    out.set(x.data.subarray(row * width, (row + 1) * width), i * width);
  });
  return out;
}

/** WGSL of the row of x [R, ...] that entry `i` of a list names; one out of range names the last. */
export function listedRow(k: KernelBuilder, indices: Tensor, x: Spec): (i: string) => string {
  const [list, last] = [k.read(indices), k.uniform(x.shape[0]! - 1)];
  return (i) => `min(u32(${list}[${i}]), ${last})`;
}

/**
 * Rows `indices` [n] (u32 or i32) of x [R, ...] -> [n, ...]. An index out of range reads the last row. `positions` are `rowPositions(indices, R)`, which the gradient
 * needs (default: it finds them).
 */
export const gatherRows = (x: Tensor, indices: Tensor, positions?: Tensor): Tensor =>
  record1(gatherOp, [x, indices, ...(positions ? [positions] : [])], {});

const scatterOp: Op<{ rows: number }> = {
  name: 'scatterAddRows',
  infer([x, indices, positions], { rows }) {
    checkIndices('scatterAddRows', indices!);
    if (indices!.shape[0] !== x!.shape[0])
      opError('shape', 'scatterAddRows', `${indices!.shape[0]} indices for ${x!.shape[0]} rows`);
    checkPositions('scatterAddRows', positions, rows);
    return [{ shape: [rows, ...x!.shape.slice(1)], dtype: x!.dtype }];
  },
  reference: ([x, indices], { rows }) => [scattered64(x!, indices!, rows)],
  gradient: ({ inputs: [, indices, positions], grads }) => [
    gatherRows(grads[0]!, indices!, positions),
    undefined,
    undefined,
  ],
  fusesEpilogue: true,
  lower({ inputs: [x, indices, positions], outputs: [out], target, epilogue }) {
    const rows = out!.shape[0]!;
    const width = rowSize(x!) % 4 === 0 ? programWidth(epilogue!) : 1;
    const k = kernelBuilder('scatterAddRows', target);
    const [source, list, range] = [
      k.read(x!, elementType(x!, width)),
      k.read(indices!),
      k.read(positions!, 'vec2<u32>'),
    ];
    const declarations = writeProgram(k, epilogue!, width);
    const units = sizeOf(out!.shape) / width;
    const columns = k.uniform(rowSize(x!) / width);
    const { quotient, remainder } = indexDivision(k, rowSize(x!) / width, units);
    const T = valueType(out!.dtype);
    const add = `
  let row = ${quotient('i')};
  let column = ${remainder('i')};
  let range = ${range}[row];
  var acc = ${T}();
  for (var j = range.x; j < range.y; j++) {
    if (u32(${list}[j]) == row) { acc += ${T}(${source}[j * ${columns} + column]); }
  }
  emit(i, acc);`;
    // as many as fall on a row where they are spread evenly
    const serial = Math.ceil(indices!.shape[0]! / Math.max(rows, 1));
    return [unitKernel(k, { units, body: add, declarations, serial, flops: sizeOf(x!.shape) })];
  },
};

/** Zeros with the rows of x added by index, in f64. */
export function scattered64(x: NdArray, indices: NdArray, rows: number): Float64Array {
  const width = rowSize(x);
  const out = new Float64Array(rows * width);
  indices.data.forEach((row, i) => {
    if (row < 0 || row >= rows) return;
    for (let j = 0; j < width; j++) out[row * width + j]! += x.data[i * width + j]!;
  });
  return out;
}

/**
 * Zeros [rows, ...] with row i of x [n, ...] added to row `indices[i]`; indices may repeat, those out of range are dropped. `positions` are those of the indices
 * (default: they are found).
 */
export const scatterAddRows = (x: Tensor, indices: Tensor, rows: number, positions?: Tensor): Tensor =>
  record1(scatterOp, [x, indices, positions ?? rowPositions(indices, rows)], { rows });
