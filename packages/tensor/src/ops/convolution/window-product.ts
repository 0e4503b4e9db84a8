/**
 * Products with a window over images (`matmul/window.ts`), by the kernels of any matrix product: `conv2d`, the window times a weight, and `conv2dWeight`, the
 * window transposed times what is on its grid, which is the gradient of the weight. The gradient of the images is a product with the adjoint window, and
 * so are the gradients of both, to any order.
 */
import { isFloat } from '../../base/dtype';
import { opError } from '../../base/errors';
import { type Shape, sameShape, showShape } from '../../base/shape';
import type { LowerArgs, NdArray, Op, Spec, Tensor } from '../../graph/op';
import { record1 } from '../../graph/record';
import type { MatmulProblem } from '../matmul/problem';
import { lowerMatmul, matmulChoice } from '../matmul/variants';
import { adjointWindow, type Window, windowIndex, windowSize } from '../matmul/window';
import { transpose } from '../transpose';

interface WindowAttrs {
  readonly window: Window;
}

function checkOperands(op: string, x: Spec, other: Spec, expected: Shape): void {
  if (!isFloat(x.dtype) || x.dtype !== other.dtype)
    opError('dtype', op, `needs two operands of one float type, got ${x.dtype} and ${other.dtype}`);
  if (!sameShape(other.shape, expected))
    opError('shape', op, `${showShape(x.shape)} needs ${showShape(expected)} beside it, got ${showShape(other.shape)}`);
}

/** Calls `visit` for every element of the window that is not zero. */
function walkWindow(window: Window, visit: (pixel: number, column: number, index: number) => void): void {
  const [pixels, columns] = windowSize(window);
  for (let pixel = 0; pixel < pixels; pixel++)
    for (let column = 0; column < columns; column++) {
      const index = windowIndex(window, pixel, column);
      if (index !== undefined) visit(pixel, column, index);
    }
}

function convolved64(x: NdArray, weight: NdArray, window: Window): Float64Array {
  const [pixels, columns] = windowSize(window);
  const outputs = weight.shape[0]!;
  const out = new Float64Array(pixels * outputs);
  walkWindow(window, (pixel, column, index) => {
    for (let o = 0; o < outputs; o++) out[pixel * outputs + o]! += x.data[index]! * weight.data[o * columns + column]!;
  });
  return out;
}

function weight64(x: NdArray, g: NdArray, window: Window): Float64Array {
  const columns = windowSize(window)[1];
  const outputs = g.shape[3]!;
  const out = new Float64Array(outputs * columns);
  walkWindow(window, (pixel, column, index) => {
    for (let o = 0; o < outputs; o++) out[o * columns + column]! += x.data[index]! * g.data[pixel * outputs + o]!;
  });
  return out;
}

/** Inputs x [B, H, W, C] and weight [O, kh, kw, C] -> [B, h, w, O]. */
const convolutionOp: Op<WindowAttrs> = {
  name: 'conv2d',
  fusesEpilogue: true,
  infer([x, weight], { window: { image, grid, taps } }) {
    checkOperands('conv2d', x!, weight!, [weight!.shape[0]!, ...taps, image[3]!]);
    return [{ shape: [image[0]!, ...grid, weight!.shape[0]!], dtype: x!.dtype }];
  },
  reference: ([x, weight], { window }) => [convolved64(x!, weight!, window)],
  gradient: ({ inputs: [x, weight], attrs: { window }, grads: [g] }) => [
    imageGradient(g!, weight!, window),
    weightProduct(x!, g!, window),
  ],
  lower: (args) => lowerMatmul(convolutionProblem(args)),
  variants: (args) => matmulChoice(convolutionProblem(args)),
};

/** Inputs x [B, H, W, C] and g [B, h, w, O] -> [O, kh, kw, C]. */
const weightOp: Op<WindowAttrs> = {
  name: 'conv2dWeight',
  fusesEpilogue: true,
  infer([x, g], { window: { image, grid, taps } }) {
    const outputs = g!.shape.at(-1)!;
    checkOperands('conv2dWeight', x!, g!, [image[0]!, ...grid, outputs]);
    return [{ shape: [outputs, ...taps, image[3]!], dtype: x!.dtype }];
  },
  reference: ([x, g], { window }) => [weight64(x!, g!, window)],
  gradient: ({ inputs: [x, g], attrs: { window }, grads: [weight] }) => [
    imageGradient(g!, weight!, window),
    windowProduct(x!, weight!, window),
  ],
  lower: (args) => lowerMatmul(weightProblem(args)),
  variants: (args) => matmulChoice(weightProblem(args)),
};

function convolutionProblem({ inputs, attrs: { window }, target, epilogue }: LowerArgs<WindowAttrs>): MatmulProblem {
  const [x, weight] = inputs as [Tensor, Tensor];
  const [M, K] = windowSize(window);
  const N = weight.shape[0]!;
  return {
    dims: { batch: 1, M, N, K, strideA: 0, strideB: 0 },
    a: { name: 'A', tensor: x, alongK: true, free: M, K, stride: 0, window },
    b: { name: 'B', tensor: weight, alongK: true, free: N, K, stride: 0 },
    epilogue: epilogue!,
    target,
  };
}

function weightProblem({ inputs, attrs: { window }, target, epilogue }: LowerArgs<WindowAttrs>): MatmulProblem {
  const [x, g] = inputs as [Tensor, Tensor];
  const [K, N] = windowSize(window);
  const M = g.shape[3]!;
  return {
    dims: { batch: 1, M, N, K, strideA: 0, strideB: 0 },
    a: { name: 'A', tensor: g, alongK: false, free: M, K, stride: 0 },
    b: { name: 'B', tensor: x, alongK: false, free: N, K, stride: 0, window },
    epilogue: epilogue!,
    target,
  };
}

const weightProduct = (x: Tensor, g: Tensor, window: Window): Tensor => record1(weightOp, [x, g], { window });

/** Every place of the images gets what the taps that read it gave. */
const imageGradient = (g: Tensor, weight: Tensor, window: Window): Tensor =>
  windowProduct(g, transpose(weight, [3, 1, 2, 0]), adjointWindow(window, g.shape[3]!));

/** The window over x [B, H, W, C] times weight [O, kh, kw, C] -> [B, h, w, O]. */
export const windowProduct = (x: Tensor, weight: Tensor, window: Window): Tensor =>
  record1(convolutionOp, [x, weight], { window });
