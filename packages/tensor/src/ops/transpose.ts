/** Permuted dimensions, moved in memory. Matrix products do not need it: `matmul` takes transposed operands as they are. */
import { opError } from '../base/errors';
import { type Shape, showShape, stridesOf } from '../base/shape';
import type { Op, Tensor } from '../graph/op';
import { checkList, checkTensor, record1 } from '../graph/record';
import { type StridedMap, stridedKernel, stridedReference } from '../kernels/strided';

interface TransposeAttrs {
  readonly order: readonly number[];
}

const mapOf = (shape: Shape, order: readonly number[]): StridedMap => {
  const strides = stridesOf(shape);
  return { dims: order.map((axis) => shape[axis]!), strides: order.map((axis) => strides[axis]!), base: 0 };
};

const transposeOp: Op<TransposeAttrs> = {
  name: 'transpose',
  infer: ([x], { order }) => [{ shape: order.map((axis) => x!.shape[axis]!), dtype: x!.dtype }],
  reference: ([x], { order }) => [stridedReference(x!, mapOf(x!.shape, order))],
  gradient: ({ attrs, grads }) => [
    transpose(
      grads[0]!,
      attrs.order.map((_, i) => attrs.order.indexOf(i)),
    ),
  ],
  lower: ({ inputs: [x], outputs: [out], attrs, target }) => [
    stridedKernel('transpose', x!, out!, mapOf(x!.shape, attrs.order), target),
  ],
};

/** x with dimension `order[i]` of the input as dimension i; without `order`, the last two swap. */
export function transpose(x: Tensor, order?: readonly number[]): Tensor {
  checkTensor('transpose', x);
  if (order) checkList('transpose', 'order', order);
  const rank = x.shape.length;
  const full = order ?? [...Array.from({ length: Math.max(rank - 2, 0) }, (_, i) => i), rank - 1, rank - 2];
  if (rank < 2 && !order) opError('shape', 'transpose', `needs two dimensions, got ${showShape(x.shape)}`);
  if (full.length !== rank || new Set(full).size !== rank || full.some((axis) => !(axis >= 0 && axis < rank)))
    opError(
      'argument',
      'transpose',
      `[${full.join(', ')}] is no order of the ${rank} dimensions of ${showShape(x.shape)}`,
    );
  return full.every((axis, i) => axis === i) ? x : record1(transposeOp, [x], { order: full });
}
