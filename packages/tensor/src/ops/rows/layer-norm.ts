/**
 * Layer normalisation over the last axis: y = (x - mean) rstd gamma + beta, rstd = 1 / sqrt(var + eps). Statistics are f32. The row is read
 * once for them: each lane sums about the first value it reads, and the sums of all lanes are put together by the deviations of their means
 * (Chan, Golub & LeVeque 1979), which loses nothing to cancellation. With h = gy gamma and xhat = (x - mean) rstd, dx = rstd (h - mean(h) -
 * xhat mean(h xhat)), dgamma = sum over rows of gy xhat, dbeta = sum over rows of gy.
 */
import { isFloat } from '../../base/dtype';
import { opError } from '../../base/errors';
import { sameShape, showShape } from '../../base/shape';
import type { Target } from '../../base/target';
import type { Kernel, Op, Storage, Tensor } from '../../graph/op';
import { record, record1 } from '../../graph/record';
import { type ColumnDims, type ColumnLayout, columnKernel, wideLayout } from '../../kernels/column-kernel';
import { elementType, kernelBuilder, scratch } from '../../kernels/kernel-builder';
import { rowKernel } from '../../kernels/row-kernel';
import { flatSum, floatType } from '../../kernels/vectors';
import { rowsOf } from './row-shape';

interface LayerNormAttrs {
  readonly eps: number;
}

const mean64 = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Outputs y [.., D] and the statistics [rows, 2] = (mean, rstd) that the backward pass reuses. */
const layerNormOp: Op<LayerNormAttrs> = {
  name: 'layerNorm',
  infer([x, gamma, beta]) {
    const D = x!.shape.at(-1);
    if (!isFloat(x!.dtype)) opError('dtype', 'layerNorm', `needs floats, got ${x!.dtype}`);
    if (!D || !sameShape(gamma!.shape, [D]) || !sameShape(beta!.shape, [D]))
      opError(
        'shape',
        'layerNorm',
        `weight ${showShape(gamma!.shape)} and bias ${showShape(beta!.shape)} must be [${D}] for ${showShape(x!.shape)}`,
      );
    return [x!, { shape: [rowsOf(x!).rows, 2], dtype: 'f32' }];
  },
  reference([x, gamma, beta], { eps }) {
    const { rows, columns } = rowsOf(x!);
    const y = new Float64Array(rows * columns);
    const stats = new Float64Array(rows * 2);
    for (let r = 0; r < rows; r++) {
      const row = x!.data.subarray(r * columns, (r + 1) * columns);
      const mean = mean64(row);
      const rstd = 1 / Math.sqrt(mean64(row.map((value) => (value - mean) ** 2)) + eps);
      stats.set([mean, rstd], 2 * r);
      for (let c = 0; c < columns; c++) y[r * columns + c] = (row[c]! - mean) * rstd * gamma!.data[c]! + beta!.data[c]!;
    }
    return [y, stats];
  },
  gradient({ inputs: [x, gamma], outputs, grads }) {
    const [g, gStats] = grads;
    if (!g || gStats) opError('not-differentiable', 'layerNorm', 'the statistics are for the backward pass only');
    const dx = record1(inputGradientOp, [x!, gamma!, outputs[1]!, g], {});
    const [dgamma, dbeta] = record(parameterGradientOp, [x!, outputs[1]!, g], {});
    return [dx, dgamma, dbeta];
  },
  lower({ inputs: [x, gamma, beta], outputs: [y, stats], attrs: { eps }, target }) {
    const { rows, columns } = rowsOf(x!);
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
  let base = row * ${n};
  let count = f32((${n} + LANES - 1u - lane) / LANES);
  let first = ${F}(${X}[base + min(lane, ${n} - 1u)]);
  var sums = ${F}(0.0); var squares = ${F}(0.0);
  for (var c = lane + LANES; c < ${n}; c += LANES) { let d = ${F}(${X}[base + c]) - first; sums += d; squares += d * d; }
  let shift = sums / max(count, 1.0);
  let mean = rowSum(count * ${total('(first + shift)')}) * ${scale};
  let apart = first + shift - mean;
  let rstd = inverseSqrt(rowSum(${total('(squares - sums * shift + count * apart * apart)')}) * ${scale} + ${k.uniformF32(eps)});
  for (var c = lane; c < ${n}; c += LANES) { ${Y}[base + c] = ${elementType(y!, width)}((${F}(${X}[base + c]) - mean) * rstd * ${F}(${G}[c]) + ${F}(${B}[c])); }
  if (lane == 0u) { ${S}[row] = vec2<f32>(mean, rstd); }`;
    return [rowKernel(k, { body, rows, steps: columns / width, flops: 8 * rows * columns, alone: true })];
  },
};

const widthOf = (columns: number): 1 | 4 => (columns % 4 === 0 ? 4 : 1);

function rowSetup(label: string, columns: number, target: Target) {
  const width = widthOf(columns);
  const k = kernelBuilder(label, target);
  return {
    k,
    width,
    F: floatType(width),
    total: (v: string) => flatSum(v, width),
    n: k.uniform(columns / width),
  };
}

const inputGradientOp: Op<object> = {
  name: 'layerNormInputGradient',
  infer: ([x]) => [x!],
  reference([x, gamma, stats, g]) {
    const { rows, columns } = rowsOf(x!);
    const out = new Float64Array(rows * columns);
    for (let r = 0; r < rows; r++) {
      const [mean, rstd] = [stats!.data[2 * r]!, stats!.data[2 * r + 1]!];
      const xhat = x!.data.slice(r * columns, (r + 1) * columns).map((value) => (value - mean) * rstd);
      const h = g!.data.slice(r * columns, (r + 1) * columns).map((value, c) => value * gamma!.data[c]!);
      const a = mean64(h);
      const b = mean64(h.map((value, c) => value * xhat[c]!));
      out.set(
        h.map((value, c) => rstd * (value - a - xhat[c]! * b)),
        r * columns,
      );
    }
    return [out];
  },
  lower({ inputs: [x, gamma, stats, g], outputs: [out], target }) {
    const { rows, columns } = rowsOf(x!);
    const { k, width, F, total, n } = rowSetup('layerNormInputGradient', columns, target);
    const [X, W, G] = [
      k.read(x!, elementType(x!, width)),
      k.read(gamma!, elementType(gamma!, width)),
      k.read(g!, elementType(g!, width)),
    ];
    const S = k.read(stats!, 'vec2<f32>');
    const O = k.write(out!, elementType(out!, width));
    const scale = k.uniformF32(1 / columns);
    const load = `let xhat = (${F}(${X}[base + c]) - stats.x) * stats.y; let h = ${F}(${G}[base + c]) * ${F}(${W}[c]);`;
    const body = `
  let base = row * ${n};
  let stats = ${S}[row];
  var sumH = ${F}(0.0); var sumHX = ${F}(0.0);
  for (var c = lane; c < ${n}; c += LANES) { ${load} sumH += h; sumHX += h * xhat; }
  let a = rowSum(${total('sumH')}) * ${scale};
  let b = rowSum(${total('sumHX')}) * ${scale};
  for (var c = lane; c < ${n}; c += LANES) { ${load} ${O}[base + c] = ${elementType(out!, width)}(stats.y * (h - a - xhat * b)); }`;
    return [rowKernel(k, { body, rows, steps: columns / width, flops: 12 * rows * columns, alone: true })];
  },
};

/** Rows that a thread of a software adapter adds up. */
const ROWS_PER_PART = 64;

/** dgamma and dbeta, both [D]: column sums over all rows, in passes of fixed order. */
const parameterGradientOp: Op<object> = {
  name: 'layerNormParameterGradient',
  infer([x]) {
    const spec = { shape: [x!.shape.at(-1)!], dtype: 'f32' as const };
    return [spec, spec];
  },
  reference([x, stats, g]) {
    const { rows, columns } = rowsOf(x!);
    const dgamma = new Float64Array(columns);
    const dbeta = new Float64Array(columns);
    for (let i = 0; i < rows * columns; i++) {
      const r = Math.floor(i / columns);
      dgamma[i % columns]! += g!.data[i]! * (x!.data[i]! - stats!.data[2 * r]!) * stats!.data[2 * r + 1]!;
      dbeta[i % columns]! += g!.data[i]!;
    }
    return [dgamma, dbeta];
  },
  lower({ inputs, outputs, target }): Kernel[] {
    const { rows, columns } = rowsOf(inputs[0]!);
    const kernels: Kernel[] = [];
    let [from, n]: [readonly Storage[], number] = [inputs, rows];
    for (;;) {
      const layout = parameterLayout([1, n, columns / widthOf(columns)], from === inputs, target);
      const to = layout.parts > 1 ? [0, 1].map(() => scratch([layout.parts, columns], 'f32')) : outputs;
      kernels.push(parameterPass({ from, to, dims: [1, n, columns], layout, target }));
      if (layout.parts === 1) return kernels;
      [from, n] = [to, layout.parts];
    }
  },
};

function parameterLayout(dims: ColumnDims, isFirst: boolean, { family }: Target): ColumnLayout {
  if (family === 'gpu') return wideLayout(dims);
  return { parts: isFirst ? Math.max(Math.ceil(dims[1] / ROWS_PER_PART), 1) : 1, sharers: 1 };
}

interface ParameterPass {
  /** x, its statistics and g; or sums over parts of their rows, of dgamma and of dbeta. */
  readonly from: readonly Storage[];
  /** The sums, for dgamma and for dbeta. */
  readonly to: readonly Storage[];
  /** [1, n, D]. */
  readonly dims: ColumnDims;
  readonly layout: ColumnLayout;
  readonly target: Target;
}

function parameterPass({ from, to, dims: [outer, n, columns], layout, target }: ParameterPass): Kernel {
  const width = widthOf(columns);
  const k = kernelBuilder('layerNormParameterGradient', target);
  const F = floatType(width);
  const vectors = (tensor: Storage) => k.read(tensor, elementType(tensor, width));
  const isFirst = from.length === 3;
  const [A, B] = [vectors(from[0]!), vectors(from.at(-1)!)];
  const S = isFirst && k.read(from[1]!, 'vec2<f32>');
  const [DG, DB] = to.map((tensor) => k.write(tensor, elementType(tensor, width)));
  return columnKernel(k, {
    dims: [outer, n, columns / width],
    layout,
    type: F,
    start: `${F}(0.0)`,
    combine: (a, b) => `${a} + ${b}`,
    values: 2,
    row(at, row, suffix) {
      if (!S) return { values: [`${A}[${at}]`, `${B}[${at}]`] };
      const [stats, g] = [`stats${suffix}`, `g${suffix}`];
      return {
        lines: `let ${stats} = ${S}[${row}]; let ${g} = ${F}(${B}[${at}]);`,
        values: [`${g} * (${F}(${A}[${at}]) - ${stats}.x) * ${stats}.y`, g],
      };
    },
    put: (at, [dgamma, dbeta]) => `${DG}[${at}] = ${dgamma}; ${DB}[${at}] = ${dbeta};`,
    kind: 'parameter gradient',
    flops: (isFirst ? 5 : 2) * n * columns,
  });
}

/** Layer normalisation of x [.., D] with weight [D] and bias [D] (f32), over the last axis. */
export const layerNorm = (x: Tensor, weight: Tensor, bias: Tensor, eps = 1e-6): Tensor =>
  record(layerNormOp, [x, weight, bias], { eps })[0]!;
