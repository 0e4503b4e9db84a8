/** Where values come from: batch inputs, per-step knobs, state, constants and literals. None of them runs a kernel. */
import { type DType, isFloat } from '../base/dtype';
import { opError } from '../base/errors';
import { type Shape, sizeOf } from '../base/shape';
import type { Op, Tensor } from '../graph/op';
import { record1 } from '../graph/record';

export interface InputAttrs {
  readonly kind: 'batch' | 'knob';
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface StateAttrs {
  readonly group: string;
  readonly name: string;
  readonly buffer: number;
  /** Elements from the start of the buffer. */
  readonly offset: number;
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface ConstantAttrs {
  readonly data: Float64Array;
  readonly shape: Shape;
  readonly dtype: DType;
}

const given = (name: string) => (): never => {
  throw new Error(`the value of an ${name} is given, not computed`);
};

export const inputOp: Op<InputAttrs> = {
  name: 'input',
  infer: (_, { shape, dtype }) => [{ shape, dtype }],
  reference: given('input'),
};
export const stateOp: Op<StateAttrs> = {
  name: 'state',
  infer: (_, { shape, dtype }) => [{ shape, dtype }],
  reference: given('state'),
};
const constantOp: Op<ConstantAttrs> = {
  name: 'constant',
  infer: (_, { shape, dtype }) => [{ shape, dtype }],
  reference: (_, { data }) => [data],
};
/** A constant that elementwise kernels have in their text; where a kernel must bind it, it is uploaded as any other constant. */
const literalOp: Op<ConstantAttrs & { value: number }> = { ...constantOp, name: 'literal' };

/** A symbolic input, for building graphs by hand; inside `compile` inputs come as arguments. */
export const input = (name: string, shape: Shape, dtype: DType = 'f32'): Tensor =>
  record1(inputOp, [], { kind: 'batch', name, shape, dtype });

/** A constant tensor, uploaded once when the plan is made. */
export function constant(values: ArrayLike<number>, shape: Shape, dtype: DType = 'f32'): Tensor {
  if (values.length !== sizeOf(shape))
    opError('shape', 'constant', `${values.length} values for shape [${shape.join(', ')}]`);
  return record1(constantOp, [], { data: Float64Array.from(values), shape, dtype });
}

/** A scalar written into the kernels that use it: finite in f32, whole for integer types. */
export function literal(value: number, dtype: DType = 'f32'): Tensor {
  if (!Number.isFinite(Math.fround(value)))
    opError('argument', 'literal', `${value} is not finite in f32; WGSL has no such literal`);
  if (!isFloat(dtype) && !Number.isInteger(value))
    opError('dtype', 'literal', `${value} is no ${dtype}; cast the other operand`);
  return record1(literalOp, [], { value, data: Float64Array.of(value), shape: [], dtype });
}

/** A tensor of `shape` filled with a scalar. */
export const asTensor = (value: Tensor | number, dtype: DType): Tensor =>
  typeof value === 'number' ? literal(value, dtype) : value;
