/** Where values come from: batch inputs, per-step knobs, state, constants and literals. None of them runs a kernel. */
import { checkSpec } from '../base/check-spec';
import { type DType, isFloat } from '../base/dtype';
import { opError } from '../base/errors';
import { type Shape, showShape, sizeOf } from '../base/shape';
import type { GraphNode, Op, Spec, Tensor } from '../graph/op';
import { record1 } from '../graph/record';

export interface InputAttrs extends Spec {
  readonly kind: 'batch' | 'knob';
  readonly name: string;
}

export interface StateAttrs extends Spec {
  readonly group: string;
  readonly name: string;
  readonly buffer: number;
  /** Elements from the start of the buffer. */
  readonly offset: number;
}

export interface ConstantAttrs extends Spec {
  readonly data: Float64Array;
}

interface LiteralAttrs extends ConstantAttrs {
  readonly value: number;
}

/** Whether a node's value is given to the step or written into it, and not computed. */
export const isSource = ({ op }: GraphNode): boolean => op.source !== undefined;
export const isInput = (node: GraphNode): node is GraphNode<InputAttrs> => node.op.source === 'input';
export const isState = (node: GraphNode): node is GraphNode<StateAttrs> => node.op.source === 'state';
/** A literal is one too: where a kernel must bind it, it is uploaded as any other constant. */
export const isConstant = (node: GraphNode): node is GraphNode<ConstantAttrs> =>
  node.op.source === 'constant' || isLiteral(node);
/** A scalar constant that elementwise kernels have in their text. */
export const isLiteral = (node: GraphNode): node is GraphNode<LiteralAttrs> => node.op.source === 'literal';

const given = (): never => {
  throw new Error('this value is given, not computed');
};

const inputOp: Op<InputAttrs> = {
  name: 'input',
  source: 'input',
  infer: (_, { shape, dtype }) => [{ shape, dtype }],
  reference: given,
};
const stateOp: Op<StateAttrs> = {
  name: 'state',
  source: 'state',
  infer: (_, { shape, dtype }) => [{ shape, dtype }],
  reference: given,
};
const constantOp: Op<ConstantAttrs> = {
  name: 'constant',
  source: 'constant',
  infer: (_, { shape, dtype }) => [{ shape, dtype }],
  reference: (_, { data }) => [data],
};
const literalOp: Op<LiteralAttrs> = {
  name: 'literal',
  source: 'literal',
  infer: (_, { shape, dtype }) => [{ shape, dtype }],
  reference: (_, { data }) => [data],
};

/** A symbolic input, for building graphs by hand; inside `compile` inputs come as arguments. */
export const input = (name: string, shape: Shape, dtype: DType = 'f32'): Tensor =>
  record1(inputOp, [], { kind: 'batch', name, shape, dtype });

/** A small f32 input that changes every step. */
export const knob = (name: string, shape: Shape): Tensor =>
  record1(inputOp, [], { kind: 'knob', name, shape, dtype: 'f32' });

/** A stretch of a state buffer. */
export const state = (attrs: StateAttrs): Tensor => record1(stateOp, [], attrs);

/** A constant tensor, uploaded once when the plan is made. */
export function constant(values: ArrayLike<number>, shape: Shape, dtype: DType = 'f32'): Tensor {
  checkSpec('constant', { shape, dtype });
  if (values.length !== sizeOf(shape))
    opError('shape', 'constant', `${values.length} values for shape ${showShape(shape)}`);
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

/** A tensor as it is, a number as a literal of `dtype`. */
export const asTensor = (value: Tensor | number, dtype: DType): Tensor =>
  typeof value === 'number' ? literal(value, dtype) : value;
