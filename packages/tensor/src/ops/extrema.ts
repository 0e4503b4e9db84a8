/** Maxima, minima and means along axes: reductions whose gradients need elementwise ops. */
import { opError } from '../base/errors';
import { showShape, sizeOf } from '../base/shape';
import type { Op, Tensor } from '../graph/op';
import { div, equal, mul, select } from './elementwise';
import { type ReduceAttrs, type ReduceOptions, reduce, reduceOp, sum } from './reduce';

// @__NO_SIDE_EFFECTS__
function extremum(): Op<ReduceAttrs> {
  return {
    ...reduceOp,
    name: 'extremum',
    gradient({ inputs, outputs, attrs, grads }) {
      const x = inputs[0]!;
      const hit = equal(x, outputs[0]!);
      const ties = sum(select(hit, 1, mul(x, 0)), [attrs.axis], { keepDims: true });
      return [select(hit, div(grads[0]!, ties), mul(x, 0))];
    },
  };
}
const extremumOp = extremum();

/** Maximum over `axes` (default all); ties share the gradient. */
export const max = (x: Tensor, axes?: readonly number[], options?: ReduceOptions): Tensor =>
  reduce(extremumOp, 'max', x, axes, options);
/** Minimum over `axes` (default all); ties share the gradient. */
export const min = (x: Tensor, axes?: readonly number[], options?: ReduceOptions): Tensor =>
  reduce(extremumOp, 'min', x, axes, options);
/** Mean over `axes` (default all). */
export function mean(x: Tensor, axes?: readonly number[], options?: ReduceOptions): Tensor {
  const total = sum(x, axes, options);
  if (sizeOf(x.shape) === 0 && sizeOf(total.shape) > 0)
    opError('shape', 'mean', `has no value over the empty axes of ${showShape(x.shape)}`);
  return sizeOf(x.shape) === 0 ? total : mul(total, sizeOf(total.shape) / sizeOf(x.shape));
}
