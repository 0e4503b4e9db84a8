/**
 * Layer normalisation over the last axis: y = (x - mean) rstd gamma + beta, rstd = 1 / sqrt(var + eps). Statistics are f32. The row is read
 * once for them: each lane sums about the first value it reads, and the sums of all lanes are put together by the deviations of their means
 * (Chan, Golub & LeVeque 1979), which loses nothing to cancellation. With h = gy gamma and xhat = (x - mean) rstd, dx = rstd (h - mean(h) -
 * xhat mean(h xhat)), dgamma = sum over rows of gy xhat, dbeta = sum over rows of gy. The norm of gathered rows reads them where they lie: the copy that
 * `gatherRows` would make is never written, and dx is computed row by row of x, which is zero where a row was not gathered, and for one that was gathered several
 * times, by its linearity in gy, that of their sum. What is added to dx joins its kernel.
 */
import { isFloat } from '../../base/dtype';
import { opError } from '../../base/errors';
import { type Shape, sameShape, showShape, sizeOf } from '../../base/shape';
import type { Target } from '../../base/target';
import type { Kernel, NdArray, Op, Spec, Tensor } from '../../graph/op';
import { checkTensor, record, record1 } from '../../graph/record';
import { programWidth, writeProgram } from '../../kernels/elementwise-program';
import { indexDivision } from '../../kernels/index-division';
import { elementType, type KernelBuilder, kernelBuilder, scratch } from '../../kernels/kernel-builder';
import { rowKernel } from '../../kernels/row-kernel';
import { flatSum, floatType } from '../../kernels/vectors';
import { gathered64, gatherOp, listedRow, rowPositions, scattered64 } from '../gather';
import { rowsOf } from './row-shape';

interface LayerNormAttrs {
  readonly eps: number;
}

const mean64 = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;

/** x, or the rows of it that a list names. */
const takenShape = (x: { shape: Shape }, indices: { shape: Shape } | undefined): Shape =>
  indices ? [indices.shape[0]!, ...x.shape.slice(1)] : x.shape;
const taken64 = (x: NdArray, indices: NdArray | undefined): NdArray =>
  indices ? { shape: takenShape(x, indices), data: gathered64(x, indices) } : x;

/** Rows of x [.., D] for each entry of a list. */
const rowsEach = (x: Spec): number => rowsOf({ shape: x.shape.slice(1) }).rows;

/** WGSL of the row of x [.., D] that taken row `row` is, as an index of rows below `bound`. */
function takenRow(k: KernelBuilder, x: Spec, indices: Tensor | undefined, bound: number): (row: string) => string {
  if (!indices) return (row) => row;
  const named = listedRow(k, indices, x);
  const each = rowsEach(x);
  if (each === 1) return named;
  const { quotient, remainder } = indexDivision(k, each, bound);
  return (row) => `(${named(quotient(row))} * ${k.uniform(each)} + ${remainder(row)})`;
}

/**
 * Outputs y and the statistics [rows, 2] = (mean, rstd) that the backward pass reuses. Inputs x [.., D], weight, bias, and where x is gathered its indices, and
 * their positions for the gradient.
 */
const layerNormOp: Op<LayerNormAttrs> = {
  name: 'layerNorm',
  infer([x, gamma, beta, indices]) {
    const D = x!.shape.at(-1);
    if (!isFloat(x!.dtype)) opError('dtype', 'layerNorm', `needs floats, got ${x!.dtype}`);
    if (!D || !sameShape(gamma!.shape, [D]) || !sameShape(beta!.shape, [D]))
      opError(
        'shape',
        'layerNorm',
        `weight ${showShape(gamma!.shape)} and bias ${showShape(beta!.shape)} must be [${D}] for ${showShape(x!.shape)}`,
      );
    const shape = takenShape(x!, indices);
    return [
      { shape, dtype: x!.dtype },
      { shape: [rowsOf({ shape }).rows, 2], dtype: 'f32' },
    ];
  },
  reference([all, gamma, beta, indices], { eps }) {
    const x = taken64(all!, indices);
    const { rows, columns } = rowsOf(x);
    const y = new Float64Array(rows * columns);
    const stats = new Float64Array(rows * 2);
    for (let r = 0; r < rows; r++) {
      const row = x.data.subarray(r * columns, (r + 1) * columns);
      const mean = mean64(row);
      const rstd = 1 / Math.sqrt(mean64(row.map((value) => (value - mean) ** 2)) + eps);
      stats.set([mean, rstd], 2 * r);
      for (let c = 0; c < columns; c++) y[r * columns + c] = (row[c]! - mean) * rstd * gamma!.data[c]! + beta!.data[c]!;
    }
    return [y, stats];
  },
  gradient({ inputs: [x, gamma, , indices, positions], outputs, grads }) {
    const [g, gStats] = grads;
    if (!g || gStats) opError('not-differentiable', 'layerNorm', 'the statistics are for the backward pass only');
    const list = indices ? [indices] : [];
    const found = indices ? [indices, positions ?? rowPositions(indices, x!.shape[0]!)] : [];
    const dx = record1(inputGradientOp, [x!, gamma!, outputs[1]!, g, ...found], {});
    const [dgamma, dbeta] = record(parameterGradientOp, [x!, outputs[1]!, g, ...list], {});
    return [dx, dgamma, dbeta, undefined, undefined];
  },
  lower({ inputs: [x, gamma, beta, indices], outputs: [y, stats], attrs: { eps }, target }) {
    const { rows, columns } = rowsOf(y!);
    const { k, width, F, total, n } = rowSetup('layerNorm', columns, target);
    const [X, G, B] = [
      k.read(x!, elementType(x!, width)),
      k.read(gamma!, elementType(gamma!, width)),
      k.read(beta!, elementType(beta!, width)),
    ];
    const Y = k.write(y!, elementType(y!, width));
    const S = k.write(stats!, 'vec2<f32>');
    const scale = k.uniformF32(1 / columns);
    const body = `
  let base = ${takenRow(k, x!, indices, rows)('row')} * ${n};
  let to = row * ${n};
  let count = f32((${n} + LANES - 1u - lane) / LANES);
  let first = ${F}(${X}[base + min(lane, ${n} - 1u)]);
  var sums = ${F}(0.0); var squares = ${F}(0.0);
  for (var c = lane + LANES; c < ${n}; c += LANES) { let d = ${F}(${X}[base + c]) - first; sums += d; squares += d * d; }
  let shift = sums / max(count, 1.0);
  let mean = rowSum(count * ${total('(first + shift)')}) * ${scale};
  let apart = first + shift - mean;
  let rstd = inverseSqrt(rowSum(${total('(squares - sums * shift + count * apart * apart)')}) * ${scale} + ${k.uniformF32(eps)});
  for (var c = lane; c < ${n}; c += LANES) { ${Y}[to + c] = ${elementType(y!, width)}((${F}(${X}[base + c]) - mean) * rstd * ${F}(${G}[c]) + ${F}(${B}[c])); }
  if (lane == 0u) { ${S}[row] = vec2<f32>(mean, rstd); }`;
    const touched = new Map([[x!, rows * columns]]);
    return [rowKernel(k, { body, rows, steps: columns / width, flops: 8 * rows * columns, touched, alone: true })];
  },
};

function rowSetup(label: string, columns: number, target: Target, width: 1 | 4 = columns % 4 === 0 ? 4 : 1) {
  const k = kernelBuilder(label, target);
  return {
    k,
    width,
    F: floatType(width),
    total: (v: string) => flatSum(v, width),
    n: k.uniform(columns / width),
  };
}

/** dx of the shape of x, from x, weight, statistics and gy; where x is gathered, its indices and their positions too. */
const inputGradientOp: Op<object> = {
  name: 'layerNormInputGradient',
  infer: ([x]) => [x!],
  reference([all, gamma, stats, g, indices]) {
    const x = taken64(all!, indices);
    const { rows, columns } = rowsOf(x);
    const out = new Float64Array(rows * columns);
    for (let r = 0; r < rows; r++) {
      const [mean, rstd] = [stats!.data[2 * r]!, stats!.data[2 * r + 1]!];
      const xhat = x.data.slice(r * columns, (r + 1) * columns).map((value) => (value - mean) * rstd);
      const h = g!.data.slice(r * columns, (r + 1) * columns).map((value, c) => value * gamma!.data[c]!);
      const a = mean64(h);
      const b = mean64(h.map((value, c) => value * xhat[c]!));
      out.set(
        h.map((value, c) => rstd * (value - a - xhat[c]! * b)),
        r * columns,
      );
    }
    return [indices ? scattered64({ shape: x.shape, data: out }, indices, all!.shape[0]!) : out];
  },
  fusesEpilogue: true,
  lower({ inputs: [x, gamma, stats, g, indices, positions], target, epilogue }) {
    const { rows, columns } = rowsOf(x!);
    const width = columns % 4 === 0 ? programWidth(epilogue!) : 1;
    const { k, F, total, n } = rowSetup('layerNormInputGradient', columns, target, width);
    const [X, W, G] = [
      k.read(x!, elementType(x!, width)),
      k.read(gamma!, elementType(gamma!, width)),
      k.read(g!, elementType(g!, width)),
    ];
    const S = k.read(stats!, 'vec2<f32>');
    const declarations = writeProgram(k, epilogue!, width);
    const scale = k.uniformF32(1 / columns);
    const { find, gy } = gradientRows(k, { x: x!, indices, positions, rows, G: (at) => `${F}(${G}[${at}])`, n });
    const load = `${gy} let xhat = (${F}(${X}[base + c]) - stats.x) * stats.y; let h = gy * ${F}(${W}[c]);`;
    const body = `
  let base = row * ${n};
  ${find}
  var stats = vec2<f32>();
  if (taken) { stats = ${S}[at]; }
  var sumH = ${F}(0.0); var sumHX = ${F}(0.0);
  for (var c = lane; c < select(0u, ${n}, taken); c += LANES) { ${load} sumH += h; sumHX += h * xhat; }
  let a = rowSum(${total('sumH')}) * ${scale};
  let b = rowSum(${total('sumHX')}) * ${scale};
  for (var c = lane; c < ${n}; c += LANES) {
    var dx = ${F}(0.0);
    if (taken) { ${load} dx = stats.y * (h - a - xhat * b); }
    emit(base + c, dx);
  }`;
    const touched = new Map([[x!, sizeOf(g!.shape)]]);
    const flops = 12 * sizeOf(g!.shape);
    return [rowKernel(k, { body, declarations, rows, steps: columns / width, flops, touched, alone: true })];
  },
};

interface GradientRows {
  readonly x: Tensor;
  readonly indices: Tensor | undefined;
  readonly positions: Tensor | undefined;
  /** Of x. */
  readonly rows: number;
  /** WGSL of units of gy in a row. */
  readonly n: string;
  /** WGSL of unit `at` of gy. */
  readonly G: (at: string) => string;
}

/** WGSL that finds `at`, the row of gy that belongs to `row` of x, and whether there is one, `taken`; and that makes `gy` of column `c`. */
function gradientRows(k: KernelBuilder, { x, indices, positions, rows, n, G }: GradientRows) {
  if (!indices) return { find: 'let at = row; let taken = true;', gy: `let gy = ${G('base + c')};` };
  const [list, range] = [k.read(indices), k.read(positions!, 'vec2<u32>')];
  const each = k.uniform(rowsEach(x));
  const { quotient, remainder } = indexDivision(k, rowsEach(x), rows);
  return {
    find: `let entry = ${quotient('row')}; let within = ${remainder('row')};
  let range = ${range}[entry];
  let at = range.x * ${each} + within; let taken = range.x < range.y;`,
    gy: `var gy = ${G(`at * ${n} + c`)};
    for (var j = range.x + 1u; j < range.y; j++) { if (u32(${list}[j]) == entry) { gy += ${G(`(j * ${each} + within) * ${n} + c`)}; } }`,
  };
}

const ROWS_PER_PART = 64;

/** dgamma and dbeta, both [D]: column sums over all rows, in two passes of fixed order. */
const parameterGradientOp: Op<object> = {
  name: 'layerNormParameterGradient',
  infer([x]) {
    const spec = { shape: [x!.shape.at(-1)!], dtype: 'f32' as const };
    return [spec, spec];
  },
  reference([all, stats, g, indices]) {
    const x = taken64(all!, indices);
    const { rows, columns } = rowsOf(x);
    const dgamma = new Float64Array(columns);
    const dbeta = new Float64Array(columns);
    for (let i = 0; i < rows * columns; i++) {
      const r = Math.floor(i / columns);
      dgamma[i % columns]! += g!.data[i]! * (x.data[i]! - stats!.data[2 * r]!) * stats!.data[2 * r + 1]!;
      dbeta[i % columns]! += g!.data[i]!;
    }
    return [dgamma, dbeta];
  },
  lower({ inputs: [x, stats, g, indices], outputs: [dgamma, dbeta], target }): Kernel[] {
    const { rows, columns } = rowsOf(g!);
    const width: 1 | 4 = columns % 4 === 0 ? 4 : 1;
    const F = floatType(width);
    const parts = Math.ceil(rows / ROWS_PER_PART);
    const units = columns / width;
    const partial = scratch([2, parts, columns], 'f32');

    const first = kernelBuilder('layerNormParameterGradient', target);
    const [X, G] = [first.read(x!, elementType(x!, width)), first.read(g!, elementType(g!, width))];
    const S = first.read(stats!, 'vec2<f32>');
    const P = first.write(partial, elementType(partial, width));
    const [n, p] = [first.uniform(units), first.uniform(parts)];
    const taken = takenRow(first, x!, indices, rows);
    const sumRows = first.build({
      body: `
  if (thread >= ${first.uniform(units * parts)}) { return; }
  let column = thread % ${n}; let part = thread / ${n};
  var dgamma = ${F}(0.0); var dbeta = ${F}(0.0);
  for (var row = part * ${ROWS_PER_PART}u; row < min(part * ${ROWS_PER_PART}u + ${ROWS_PER_PART}u, ${first.uniform(rows)}); row++) {
    let stats = ${S}[row]; let g = ${F}(${G}[row * ${n} + column]);
    dgamma += g * (${F}(${X}[${taken('row')} * ${n} + column]) - stats.x) * stats.y;
    dbeta += g;
  }
  ${P}[thread] = dgamma; ${P}[${p} * ${n} + thread] = dbeta;`,
      workgroupSize: 64,
      workgroups: Math.ceil((units * parts) / 64),
      kind: 'parameter gradient',
      flops: 5 * rows * columns,
      touched: new Map([[x!, rows * columns]]),
      serial: Math.min(rows, ROWS_PER_PART),
    });

    const second = kernelBuilder('layerNormParameterGradient', target);
    const Q = second.read(partial, elementType(partial, width));
    const [DG, DB] = [
      second.write(dgamma!, elementType(dgamma!, width)),
      second.write(dbeta!, elementType(dbeta!, width)),
    ];
    const [m, q] = [second.uniform(units), second.uniform(parts)];
    const sumParts = second.build({
      body: `
  if (thread >= ${m}) { return; }
  var dgamma = ${F}(0.0); var dbeta = ${F}(0.0);
  for (var part = 0u; part < ${q}; part++) { dgamma += ${Q}[part * ${m} + thread]; dbeta += ${Q}[(${q} + part) * ${m} + thread]; }
  ${DG}[thread] = dgamma; ${DB}[thread] = dbeta;`,
      workgroupSize: 64,
      workgroups: Math.ceil(units / 64),
      kind: 'parameter gradient',
      flops: 2 * parts * columns,
      serial: parts,
    });
    return [sumRows, sumParts];
  },
};

/** Layer normalisation of x [.., D] with weight [D] and bias [D] (f32), over the last axis. That of `gatherRows` reads rows where they lie. */
export const layerNorm = (x: Tensor, weight: Tensor, bias: Tensor, eps = 1e-6): Tensor => {
  const { op, inputs } = checkTensor('layerNorm', x).node;
  const [source, ...list] = op === gatherOp && x.shape.length > 1 ? inputs : [x];
  return record(layerNormOp, [source!, weight, bias, ...list], { eps })[0]!;
};
