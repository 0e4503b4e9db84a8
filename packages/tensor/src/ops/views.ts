/** Views: other shapes of the same bytes, and the end of gradients. No kernel runs. */
import { opError } from '../base/errors';
import { type Shape, sameShape, showShape, sizeOf } from '../base/shape';
import type { Op, Tensor } from '../graph/op';
import { checkList, checkTensor, record1 } from '../graph/record';

const reshapeOp: Op<{ shape: Shape }> = {
  name: 'reshape',
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  reference: ([x]) => [x!.data],
  view: () => ({ offset: 0 }),
  gradient: ({ inputs, grads }) => [reshape(grads[0]!, inputs[0]!.shape)],
};

/** The same elements in another shape; one dimension may be -1, which is then inferred. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkTensor('reshape', x);
  checkList('reshape', 'shape', shape);
  const known = shape.reduce((product, dim) => (dim === -1 ? product : product * dim), 1);
  const full = shape.map((dim) => (dim === -1 ? sizeOf(x.shape) / known : dim));
  if (sizeOf(full) !== sizeOf(x.shape) || full.some((dim) => !Number.isInteger(dim)))
    opError('shape', 'reshape', `${showShape(x.shape)} does not fit into ${showShape(shape)}`);
  return sameShape(full, x.shape) ? x : record1(reshapeOp, [x], { shape: full });
}

const stopGradientOp: Op<object> = {
  name: 'stopGradient',
  infer: ([x]) => [x!],
  reference: ([x]) => [x!.data],
  view: () => ({ offset: 0 }),
  differentiable: false,
};

/** x, seen by `grad` as a constant. */
export const stopGradient = (x: Tensor): Tensor => record1(stopGradientOp, [x], {});
