/** Softmax over the last axis and its logarithm, from x - max(x), in f32, with backward kernels of their own. */
import type { LowerArgs, Op, Tensor } from '../../graph/op';
import { record1 } from '../../graph/record';
import { elementType, kernelBuilder } from '../../kernels/kernel-builder';
import { rowKernel } from '../../kernels/row-kernel';
import { rowValues } from '../../kernels/row-values';
import { flatMax, flatSum, floatType } from '../../kernels/vectors';
import { logSum64 } from './log-sums';
import { checkRows, mapRows, rowsOf } from './row-shape';

interface Variant {
  readonly name: string;
  readonly reference: (x: Float64Array) => Float64Array;
  /** WGSL of the result from a value, `top` and `total` (the sum of exp(value - top)). */
  readonly result: (value: string) => string;
  readonly referenceGradient: (y: Float64Array, g: Float64Array) => Float64Array;
  /** WGSL: what to sum over the row, and the gradient from that sum `s`. */
  readonly summand: (y: string, g: string) => string;
  readonly slope: (y: string, g: string) => string;
}

// @__NO_SIDE_EFFECTS__
function softmaxLike({ name, reference, result, referenceGradient, summand, slope }: Variant): (x: Tensor) => Tensor {
  const backward: Op<object> = {
    name: `${name}Gradient`,
    infer: ([y]) => [y!],
    reference([y, g]) {
      const columns = y!.shape.at(-1)!;
      return [
        mapRows(y!.data, columns, (row, i) => referenceGradient(row, g!.data.subarray(i * columns, (i + 1) * columns))),
      ];
    },
    lower({ inputs: [y, g], outputs: [out], target }) {
      const { rows, columns } = rowsOf(y!);
      const width = columns % 4 === 0 ? 4 : 1;
      const k = kernelBuilder(`${name}Gradient`, target);
      const Y = k.read(y!, elementType(y!, width));
      const G = k.read(g!, elementType(g!, width));
      const O = k.write(out!, elementType(out!, width));
      const n = k.uniform(columns / width);
      const F = floatType(width);
      const values = rowValues(target, columns / width, n, (c) => [
        `${F}(${Y}[base + ${c}])`,
        `${F}(${G}[base + ${c}])`,
      ]);
      const body = `
  let base = row * ${n};
${values.hold}
  var part = ${F}(0.0);
${values.each(([y, g]) => `part += ${summand(y!, g!)};`)}
  let s = rowSum(${flatSum('part', width)});
${values.each(([y, g], c) => `${O}[base + ${c}] = ${elementType(out!, width)}(${slope(y!, g!)});`)}`;
      return [rowKernel(k, { body, rows, steps: columns / width, flops: 6 * rows * columns })];
    },
  };
  const forward: Op<object> = {
    name,
    infer([x]) {
      checkRows(name, x!);
      return [x!];
    },
    reference: ([x]) => [mapRows(x!.data, x!.shape.at(-1)!, reference)],
    gradient: ({ outputs, grads }) => [record1(backward, [outputs[0]!, grads[0]!], {})],
    lower: (args) => [forwardKernel(name, result, args)],
  };
  return (x) => record1(forward, [x], {});
}

function forwardKernel(
  name: string,
  result: (value: string) => string,
  { inputs: [x], outputs: [out], target }: LowerArgs<object>,
) {
  const { rows, columns } = rowsOf(x!);
  const width = columns % 4 === 0 ? 4 : 1;
  const k = kernelBuilder(name, target);
  const X = k.read(x!, elementType(x!, width));
  const O = k.write(out!, elementType(out!, width));
  const n = k.uniform(columns / width);
  const F = floatType(width);
  const values = rowValues(target, columns / width, n, (c) => [`${F}(${X}[base + ${c}])`]);
  const body = `
  let base = row * ${n};
${values.hold}
  var high = ${F}(-3.4028234e38);
${values.each(([x]) => `high = max(high, ${x});`)}
  let top = rowMax(${flatMax('high', width)});
  var part = ${F}(0.0);
${values.each(([x]) => `part += exp(${x} - top);`)}
  let total = rowSum(${flatSum('part', width)});
${values.each(([x], c) => `${O}[base + ${c}] = ${elementType(out!, width)}(${result(x!)});`)}`;
  return rowKernel(k, { body, rows, steps: columns / width, flops: 8 * rows * columns });
}

const total = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);

/** exp(x_i) / sum_j exp(x_j) over the last axis. */
export const softmax: (x: Tensor) => Tensor = softmaxLike({
  name: 'softmax',
  reference(x) {
    const lse = logSum64(x);
    return x.map((value) => Math.exp(value - lse));
  },
  result: (value) => `exp(${value} - top) / total`,
  referenceGradient(y, g) {
    const s = total(y.map((value, i) => value * g[i]!));
    return y.map((value, i) => value * (g[i]! - s));
  },
  summand: (y, g) => `${y} * ${g}`,
  slope: (y, g) => `${y} * (${g} - s)`,
});

/** x_i - log sum_j exp(x_j) over the last axis. */
export const logSoftmax: (x: Tensor) => Tensor = softmaxLike({
  name: 'logSoftmax',
  reference(x) {
    const lse = logSum64(x);
    return x.map((value) => value - lse);
  },
  result: (value) => `${value} - top - log(total)`,
  referenceGradient(y, g) {
    const s = total(g);
    return y.map((value, i) => g[i]! - Math.exp(value) * s);
  },
  summand: (_, g) => g,
  slope: (y, g) => `${g} - exp(${y}) * s`,
});
