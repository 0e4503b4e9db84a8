/**
 * The gate of SwiGLU (Shazeer 2020), forward and backward in one kernel each. Of a row [a, b] of 2 H elements, y = silu(a) b = a s b with s
 * = 1 / (1 + e^-a), the halves read where they lie. The backward pass writes both halves at once: da = g b s (1 + a (1 - s)), db = g a s.
 */
import { isFloat } from '../base/dtype';
import { opError } from '../base/errors';
import { showShape, sizeOf } from '../base/shape';
import type { Kernel, LowerArgs, NdArray, Op, Tensor } from '../graph/op';
import { record1 } from '../graph/record';
import { indexDivision } from '../kernels/index-division';
import { elementType, kernelBuilder } from '../kernels/kernel-builder';
import { unitKernel } from '../kernels/unit-kernel';
import { floatType } from '../kernels/vectors';

const sigmoid64 = (a: number): number => 1 / (1 + Math.exp(-a));

/** Calls `visit` with the gate a and the value b of each result i, and with the index of a; b lies H further. */
function eachPair(x: NdArray, visit: (i: number, a: number, b: number, at: number) => void): void {
  const H = x.shape.at(-1)! / 2;
  for (let i = 0; i < x.data.length / 2; i++) {
    const at = Math.floor(i / H) * 2 * H + (i % H);
    visit(i, x.data[at]!, x.data[at + H]!, at);
  }
}

const gatedSiluOp: Op<object> = {
  name: 'gatedSilu',
  infer([x]) {
    const width = x!.shape.at(-1);
    if (!isFloat(x!.dtype)) opError('dtype', 'gatedSilu', `needs floats, got ${x!.dtype}`);
    if (!width || width % 2 !== 0)
      opError('shape', 'gatedSilu', `needs gates and as many values in the last dimension, got ${showShape(x!.shape)}`);
    return [{ shape: [...x!.shape.slice(0, -1), width / 2], dtype: x!.dtype }];
  },
  reference([x]) {
    const y = new Float64Array(x!.data.length / 2);
    eachPair(x!, (i, a, b) => {
      y[i] = a * sigmoid64(a) * b;
    });
    return [y];
  },
  gradient: ({ inputs: [x], grads: [g] }) => [record1(gatedSiluGradientOp, [x!, g!], {})],
  lower: ({ inputs: [x], outputs: [y], target }) => [
    pairKernel('gatedSilu', x!, target, (k, width) => {
      const Y = k.write(y!, elementType(y!, width));
      return `${Y}[i] = ${elementType(y!, width)}(a * s * b);`;
    }),
  ],
};

const gatedSiluGradientOp: Op<object> = {
  name: 'gatedSiluGradient',
  infer: ([x]) => [x!],
  reference([x, g]) {
    const dx = new Float64Array(x!.data.length);
    const H = x!.shape.at(-1)! / 2;
    eachPair(x!, (i, a, b, at) => {
      const s = sigmoid64(a);
      dx[at] = g!.data[i]! * b * s * (1 + a * (1 - s));
      dx[at + H] = g!.data[i]! * a * s;
    });
    return [dx];
  },
  lower: ({ inputs: [x, g], outputs: [dx], target }) => [
    pairKernel('gatedSiluGradient', x!, target, (k, width, [F, H]) => {
      const G = k.read(g!, elementType(g!, width));
      const D = k.write(dx!, elementType(dx!, width));
      const type = elementType(dx!, width);
      return `let g = ${F}(${G}[i]);
  ${D}[at] = ${type}(g * b * s * (1.0 + a * (1.0 - s)));
  ${D}[at + ${H}] = ${type}(g * a * s);`;
    }),
  ],
};

/** Unit i is gate `a` (at index `at` of x) and value `b` (`H` further); `s` is sigmoid(a). Computes in `F`, 4 at a time where H allows. */
function pairKernel(
  label: string,
  x: Tensor,
  target: LowerArgs<object>['target'],
  finish: (k: ReturnType<typeof kernelBuilder>, width: 1 | 4, names: readonly [F: string, H: string]) => string,
): Kernel {
  const hidden = x.shape.at(-1)! / 2;
  const width = hidden % 4 === 0 ? 4 : 1;
  const F = floatType(width);
  const k = kernelBuilder(label, target);
  const X = k.read(x, elementType(x, width));
  const units = sizeOf(x.shape) / 2 / width;
  const H = k.uniform(hidden / width);
  const body = `
  let at = i + ${indexDivision(k, hidden / width, units).quotient('i')} * ${H};
  let a = ${F}(${X}[at]); let b = ${F}(${X}[at + ${H}]);
  let s = 1.0 / (1.0 + exp(-clamp(a, ${F}(-80.0), ${F}(80.0))));
  ${finish(k, width, [F, H])}`;
  return unitKernel(k, { units, body, flops: 4 * sizeOf(x.shape) });
}

/** silu(a) b of x = [a, b] along the last axis: [.., 2 H] -> [.., H]. */
export const gatedSilu = (x: Tensor): Tensor => record1(gatedSiluOp, [x], {});
