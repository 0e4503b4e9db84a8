/** Boxes out of a tensor, and their adjoint, padding. A slice of whole leading rows at a 256-byte boundary is a view and costs nothing. */
import { BYTES_PER_ELEMENT } from '../base/dtype';
import { opError } from '../base/errors';
import { normaliseAxis, type Shape, sameShape, showShape, sizeOf, stridesOf } from '../base/shape';
import { BINDING_ALIGNMENT } from '../base/target';
import type { Op, Tensor } from '../graph/op';
import { checkList, checkTensor, record1 } from '../graph/record';
import { type StridedMap, stridedKernel, stridedReference } from '../kernels/strided';
import { add } from './elementwise';

interface BoxAttrs {
  readonly start: readonly number[];
  readonly shape: Shape;
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const boxMap = (full: Shape, { start, shape }: BoxAttrs): StridedMap => ({
  dims: shape,
  strides: stridesOf(full),
  base: dot(start, stridesOf(full)),
});

// @__NO_SIDE_EFFECTS__
function boxOp<A extends BoxAttrs>(own: Pick<Op<A>, 'name' | 'view'>): Op<A> {
  return {
    infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
    reference: ([x], attrs) => [stridedReference(x!, boxMap(x!.shape, attrs))],
    gradient: ({ inputs, attrs, grads }) => [padBox(grads[0]!, inputs[0]!.shape, attrs.start)],
    lower: ({ inputs: [x], outputs: [out], attrs, target }) => [
      stridedKernel('slice', x!, out!, boxMap(x!.shape, attrs), target),
    ],
    ...own,
  };
}

const sliceOp = boxOp<BoxAttrs>({ name: 'slice' });
const rowsOp = boxOp<BoxAttrs & { offset: number }>({ name: 'rows', view: ({ offset }) => ({ offset }) });

/** The box of `shape` that starts at `start`. */
export function slice(x: Tensor, start: readonly number[], shape: Shape): Tensor {
  checkTensor('slice', x);
  checkList('slice', 'start', start);
  checkList('slice', 'shape', shape);
  const fits =
    start.length === x.shape.length &&
    shape.length === x.shape.length &&
    start.every(
      (first, i) => Number.isInteger(first) && first >= 0 && shape[i]! >= 0 && first + shape[i]! <= x.shape[i]!,
    );
  if (!fits)
    opError('shape', 'slice', `box ${showShape(shape)} at ${showShape(start)} is not inside ${showShape(x.shape)}`);
  if (sameShape(shape, x.shape)) return x;
  const leading = shape.findIndex((dim, i) => dim !== x.shape[i]);
  const contiguous = sizeOf(shape.slice(0, leading)) === 1;
  const offset = dot(start, stridesOf(x.shape));
  if (contiguous && sizeOf(shape) > 0 && (offset * BYTES_PER_ELEMENT[x.dtype]) % BINDING_ALIGNMENT === 0)
    return record1(rowsOp, [x], { start, shape, offset });
  return record1(sliceOp, [x], { start, shape });
}

/** Elements [first, end) along one axis. */
export function sliceAxis(x: Tensor, axis: number, first: number, end: number): Tensor {
  const at =
    normaliseAxis(axis, checkTensor('sliceAxis', x).shape.length) ??
    opError('argument', 'sliceAxis', `axis ${axis} is out of range for ${showShape(x.shape)}`);
  return slice(
    x,
    x.shape.map((_, i) => (i === at ? first : 0)),
    x.shape.map((dim, i) => (i === at ? end - first : dim)),
  );
}

interface PadAttrs extends BoxAttrs {
  readonly value: number;
}

function padMap(inner: Shape, { start, shape, value }: PadAttrs): StridedMap {
  return {
    dims: shape,
    strides: stridesOf(inner),
    base: 0,
    bounds: start.map((first, i) => [first, first + inner[i]!]),
    fill: value,
  };
}

const padOp: Op<PadAttrs> = {
  name: 'pad',
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  reference: ([x], attrs) => [stridedReference(x!, padMap(x!.shape, attrs))],
  gradient: ({ inputs, attrs, grads }) => [slice(grads[0]!, attrs.start, inputs[0]!.shape)],
  lower: ({ inputs: [x], outputs: [out], attrs, target }) => [
    stridedKernel('pad', x!, out!, padMap(x!.shape, attrs), target),
  ],
};

const padBox = (x: Tensor, shape: Shape, start: readonly number[], value = 0): Tensor =>
  sameShape(x.shape, shape) ? x : record1(padOp, [x], { start, shape, value });

/** x with `before[i]` and `after[i]` elements of `value` around dimension i. */
export function pad(x: Tensor, before: readonly number[], after: readonly number[], value = 0): Tensor {
  checkTensor('pad', x);
  checkList('pad', 'before', before);
  checkList('pad', 'after', after);
  if (
    [before, after].some(
      (list) => list.length !== x.shape.length || list.some((count) => !(Number.isInteger(count) && count >= 0)),
    )
  ) {
    opError(
      'argument',
      'pad',
      `needs a count of 0 or more before and after each dimension of ${showShape(x.shape)}, got ${showShape(before)} and ${showShape(after)}`,
    );
  }
  return padBox(
    x,
    x.shape.map((dim, i) => before[i]! + dim + after[i]!),
    before,
    value,
  );
}

/** Indices [first, end) along one axis of a tensor that is zero elsewhere: what a slice contributes to a gradient. */
export interface Piece {
  readonly axis: number;
  readonly first: number;
  readonly end: number;
  readonly part: Tensor;
  /** The whole tensor, zeros included. */
  padded(): Tensor;
  /** The same stretch with another part added. */
  plus(other: Tensor): Piece;
}

/** Recognises x as the gradient of a slice along one axis. */
export function pieceOf(x: Tensor): Piece | undefined {
  if (x.node.op !== (padOp as Op)) return undefined;
  const { start, shape, value } = x.node.attrs as PadAttrs;
  const part = x.node.inputs[0]!;
  const cut = shape.flatMap((dim, i) => (dim === part.shape[i] ? [] : [i]));
  if (value !== 0 || cut.length !== 1) return undefined;
  const axis = cut[0]!;
  const first = start[axis]!;
  const piece = (own: Tensor): Piece => ({
    axis,
    first,
    end: first + own.shape[axis]!,
    part: own,
    padded: () => (own === part ? x : padBox(own, shape, start)),
    plus: (other) => piece(add(other, own)),
  });
  return piece(part);
}
