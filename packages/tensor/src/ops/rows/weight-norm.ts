/**
 * Weight normalisation (Salimans & Kingma 2016): row k is w_k = g_k v_k / ||v_k||, direction and length apart. With u = v / ||v||,
 *   dL/dg = dL/dw . u,    dL/dv = (g / ||v||) (dL/dw - (dL/dw . u) u).
 * One pass over the rows each way; the weight may come out in f16 for the matmul that uses it, everything else is f32.
 */
import type { DType } from '../../base/dtype';
import { opError } from '../../base/errors';
import { showShape } from '../../base/shape';
import type { Op, Tensor } from '../../graph/op';
import { checkTensor, record, record1 } from '../../graph/record';
import { elementType, kernelBuilder } from '../../kernels/kernel-builder';
import { rowKernel } from '../../kernels/row-kernel';
import { flatDot, floatType } from '../../kernels/vectors';
import { length64, mapRows } from './row-shape';

interface WeightNormAttrs {
  readonly dtype: DType;
}

const weightNormOp: Op<WeightNormAttrs> = {
  name: 'weightNorm',
  infer([g, v], { dtype }) {
    if (v!.shape.length !== 2 || g!.shape.length !== 2 || g!.shape[0] !== v!.shape[0] || g!.shape[1] !== 1)
      opError(
        'shape',
        'weightNorm',
        `needs g [K, 1] and v [K, b], got ${showShape(g!.shape)} and ${showShape(v!.shape)}`,
      );
    return [{ shape: v!.shape, dtype }];
  },
  reference: ([g, v]) => [
    mapRows(v!.data, v!.shape[1]!, (row, k) => {
      const scale = g!.data[k]! / length64(row);
      return row.map((value) => value * scale);
    }),
  ],
  gradient: ({ inputs, grads }) => [...record(weightNormGradientOp, [...inputs, grads[0]!], {})],
  lower({ inputs: [g, v], outputs: [out], target }) {
    const [rows, columns] = v!.shape as [number, number];
    const width = columns % 4 === 0 ? 4 : 1;
    const k = kernelBuilder('weightNorm', target);
    const [G, V] = [k.read(g!), k.read(v!, elementType(v!, width))];
    const O = k.write(out!, elementType(out!, width));
    const n = k.uniform(columns / width);
    const F = floatType(width);
    const body = `
  let base = row * ${n};
  var squares = 0.0;
  for (var c = lane; c < ${n}; c += LANES) { let v = ${F}(${V}[base + c]); squares += ${flatDot('v', 'v', width)}; }
  let scale = f32(${G}[row]) * inverseSqrt(rowSum(squares));
  for (var c = lane; c < ${n}; c += LANES) { ${O}[base + c] = ${elementType(out!, width)}(${F}(${V}[base + c]) * scale); }`;
    return [rowKernel(k, { body, rows, steps: columns / width, flops: 3 * rows * columns, kind: 'prototypes' })];
  },
};

const weightNormGradientOp: Op<object> = {
  name: 'weightNormGradient',
  infer: ([g, v]) => [g!, v!],
  reference([g, v, dw]) {
    const b = v!.shape[1]!;
    const dg = new Float64Array(g!.data.length);
    const dv = mapRows(v!.data, b, (row, k) => {
      const grad = dw!.data.subarray(k * b, (k + 1) * b);
      const length = length64(row);
      dg[k] = row.reduce((sum, value, i) => sum + value * grad[i]!, 0) / length;
      return row.map((value, i) => (g!.data[k]! / length) * (grad[i]! - (dg[k]! * value) / length));
    });
    return [dg, dv];
  },
  lower({ inputs: [g, v, dw], outputs: [dg, dv], target }) {
    const [rows, columns] = v!.shape as [number, number];
    const width = columns % 4 === 0 ? 4 : 1;
    const k = kernelBuilder('weightNormGradient', target);
    const [G, V, W] = [k.read(g!), k.read(v!, elementType(v!, width)), k.read(dw!, elementType(dw!, width))];
    const [DG, DV] = [k.write(dg!), k.write(dv!, elementType(dv!, width))];
    const n = k.uniform(columns / width);
    const F = floatType(width);
    const body = `
  let base = row * ${n};
  var squares = 0.0; var products = 0.0;
  for (var c = lane; c < ${n}; c += LANES) { let v = ${F}(${V}[base + c]); squares += ${flatDot('v', 'v', width)}; products += ${flatDot('v', `${F}(${W}[base + c])`, width)}; }
  let inverse = inverseSqrt(rowSum(squares));
  let along = rowSum(products) * inverse;
  let scale = f32(${G}[row]) * inverse;
  if (lane == 0u) { ${DG}[row] = ${dg!.dtype}(along); }
  for (var c = lane; c < ${n}; c += LANES) { ${DV}[base + c] = ${elementType(dv!, width)}(scale * (${F}(${W}[base + c]) - ${F}(${V}[base + c]) * (along * inverse))); }`;
    return [rowKernel(k, { body, rows, steps: columns / width, flops: 8 * rows * columns, kind: 'prototypes' })];
  },
};

/** g_k v_k / ||v_k|| for g [K, 1] and v [K, b] (no row of which may be zero) -> [K, b] of `dtype` (default that of v). */
export const weightNorm = (g: Tensor, v: Tensor, dtype?: DType): Tensor =>
  record1(weightNormOp, [g, v], { dtype: dtype ?? checkTensor('weightNorm', v).dtype });
