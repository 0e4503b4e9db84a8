/** Rows scaled to length one: y = x / max(||x||, eps). Backward: dx = (g - y (g . y)) / ||x||, or g / eps where the length is below eps. */
import type { Op, Tensor } from '../../graph/op';
import { record1 } from '../../graph/record';
import { elementType, kernelBuilder } from '../../kernels/kernel-builder';
import { rowKernel } from '../../kernels/row-kernel';
import { flatDot, floatType } from '../../kernels/vectors';
import { checkRows, length64, mapRows, rowsOf } from './row-shape';

interface NormaliseAttrs {
  readonly eps: number;
}

const normaliseOp: Op<NormaliseAttrs> = {
  name: 'l2Normalise',
  infer([x]) {
    checkRows('l2Normalise', x!);
    return [x!];
  },
  reference: ([x], { eps }) => [
    mapRows(x!.data, x!.shape.at(-1)!, (row) => {
      const length = Math.max(length64(row), eps);
      return row.map((value) => value / length);
    }),
  ],
  gradient: ({ inputs, attrs, grads }) => [record1(normaliseGradientOp, [inputs[0]!, grads[0]!], attrs)],
  lower({ inputs: [x], outputs: [out], attrs, target }) {
    const { rows, columns } = rowsOf(x!);
    const width = columns % 4 === 0 ? 4 : 1;
    const k = kernelBuilder('l2Normalise', target);
    const X = k.read(x!, elementType(x!, width));
    const O = k.write(out!, elementType(out!, width));
    const n = k.uniform(columns / width);
    const F = floatType(width);
    const body = `
  let base = row * ${n};
  var part = 0.0;
  for (var c = lane; c < ${n}; c += LANES) { let v = ${F}(${X}[base + c]); part += ${flatDot('v', 'v', width)}; }
  let size = max(sqrt(rowSum(part)), ${k.uniformF32(attrs.eps)});
  for (var c = lane; c < ${n}; c += LANES) { ${O}[base + c] = ${elementType(out!, width)}(${F}(${X}[base + c]) / size); }`;
    return [rowKernel(k, { body, rows, steps: columns / width, flops: 3 * rows * columns })];
  },
};

const normaliseGradientOp: Op<NormaliseAttrs> = {
  name: 'l2NormaliseGradient',
  infer: ([x]) => [x!],
  reference([x, g], { eps }) {
    const columns = x!.shape.at(-1)!;
    return [
      mapRows(x!.data, columns, (row, i) => {
        const grad = g!.data.subarray(i * columns, (i + 1) * columns);
        const length = length64(row);
        if (length < eps) return grad.map((value) => value / eps);
        const along = row.reduce((sum, value, c) => sum + value * grad[c]!, 0) / (length * length);
        return row.map((value, c) => (grad[c]! - value * along) / length);
      }),
    ];
  },
  lower({ inputs: [x, g], outputs: [out], attrs, target }) {
    const { rows, columns } = rowsOf(x!);
    const width = columns % 4 === 0 ? 4 : 1;
    const k = kernelBuilder('l2NormaliseGradient', target);
    const [X, G] = [k.read(x!, elementType(x!, width)), k.read(g!, elementType(g!, width))];
    const O = k.write(out!, elementType(out!, width));
    const n = k.uniform(columns / width);
    const eps = k.uniformF32(attrs.eps);
    const F = floatType(width);
    const body = `
  let base = row * ${n};
  var squares = 0.0; var products = 0.0;
  for (var c = lane; c < ${n}; c += LANES) { let v = ${F}(${X}[base + c]); squares += ${flatDot('v', 'v', width)}; products += ${flatDot('v', `${F}(${G}[base + c])`, width)}; }
  let size = sqrt(rowSum(squares));
  let along = select(rowSum(products) / (size * size), 0.0, size < ${eps});
  for (var c = lane; c < ${n}; c += LANES) { ${O}[base + c] = ${elementType(out!, width)}((${F}(${G}[base + c]) - ${F}(${X}[base + c]) * along) / max(size, ${eps})); }`;
    return [rowKernel(k, { body, rows, steps: columns / width, flops: 8 * rows * columns })];
  },
};

/** Rows (last axis) of x divided by max(length, eps). */
export const l2Normalise = (x: Tensor, eps = 1e-12): Tensor => record1(normaliseOp, [x], { eps });
