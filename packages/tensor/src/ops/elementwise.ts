/**
 * Elementwise ops, one entry each: arithmetic, comparisons, functions, casts. An entry is a WGSL expression (for scalars and vec4 alike,
 * `F`, `I`, `U` being the value types), the same in f64 TypeScript, and its gradient in terms of other ops. Operands broadcast as in NumPy;
 * a number stands for a scalar tensor. Chains of them fuse into one kernel (see `fuse.ts`). What makes an op at load is marked as free of
 * side effects, so that a bundle holds the ops that it uses.
 */
import { checkSpec } from '../base/check-spec';
import { type DType, isFloat } from '../base/dtype';
import { erf64 } from '../base/erf';
import { opError } from '../base/errors';
import { broadcastReader, broadcastShapes, showShape, sizeOf } from '../base/shape';
import type { Op, Tensor } from '../graph/op';
import { checkTensor, record1 } from '../graph/record';
import { sumTo } from './reduce';
import { asTensor } from './sources';

/** What an elementwise op takes. */
export type Operand = Tensor | number;
type Gradient = (grad: Tensor, inputs: readonly Tensor[], output: Tensor) => (Tensor | undefined)[];

interface Definition {
  readonly name: string;
  readonly expression: (...args: string[]) => string;
  readonly reference: (...args: number[]) => number;
  /** The reference for integers, where it is not `reference` modulo 2^32. */
  readonly integer?: (...args: number[]) => number;
  readonly gradient?: Gradient;
  /** Type of the result; default: the type of the operands. */
  readonly result?: DType;
  /** The first operand chooses between the others; its type is its own. */
  readonly chooses?: true;
}

// @__NO_SIDE_EFFECTS__
function elementwise(definition: Definition): Op<object> {
  const { name, expression, reference, integer = reference, gradient, result, chooses } = definition;
  return {
    name,
    infer(inputs) {
      const dtype = inputs.at(-1)!.dtype;
      const values = chooses ? inputs.slice(1) : inputs;
      if (values.some((spec) => spec.dtype !== dtype))
        opError('dtype', name, `operands are ${inputs.map((spec) => spec.dtype).join(' and ')}; cast one of them`);
      const shape = inputs.reduce<readonly number[] | undefined>(
        (joined, spec) => joined && broadcastShapes(joined, spec.shape),
        [],
      );
      if (!shape)
        opError('shape', name, `shapes ${inputs.map((spec) => showShape(spec.shape)).join(' and ')} do not broadcast`);
      return [{ shape: shape, dtype: result ?? dtype }];
    },
    reference(inputs, _, [out]) {
      const data = new Float64Array(sizeOf(out!.shape));
      const readers = inputs.map((array) => broadcastReader(array.shape, out!.shape, array.data));
      const [compute, wrap] = isFloat(out!.dtype)
        ? [reference, (x: number) => x]
        : [integer, wrapTo[out!.dtype as 'i32' | 'u32']];
      for (let i = 0; i < data.length; i++) data[i] = wrap(compute(...readers.map((read) => read(i))));
      return [data];
    },
    expression: (args) => expression(...args),
    ...(gradient
      ? {
          gradient: ({ inputs, outputs, grads }) =>
            gradient(grads[0]!, inputs, outputs[0]!).map(
              (grad, i) => grad && sumTo(cast(grad, inputs[i]!.dtype), inputs[i]!.shape),
            ),
        }
      : {}),
  };
}

/** Integers wrap around, as in WGSL. */
const wrapTo = { i32: (x: number) => x | 0, u32: (x: number) => x >>> 0 };

/** The type of two operands, of which numbers take that of the other. */
function commonType(op: string, a: Operand, b: Operand): DType {
  for (const operand of [a, b]) if (typeof operand !== 'number') return checkTensor(op, operand).dtype;
  return 'f32';
}

// @__NO_SIDE_EFFECTS__
function unary(definition: Definition): (x: Tensor) => Tensor {
  const op = elementwise(definition);
  return (x) => {
    if (!isFloat(checkTensor(definition.name, x).dtype))
      opError('dtype', definition.name, `needs floats, got ${x.dtype}; cast it`);
    return record1(op, [x], {});
  };
}

// @__NO_SIDE_EFFECTS__
function binary(definition: Definition): (a: Operand, b: Operand) => Tensor {
  const op = elementwise(definition);
  return (a, b) => {
    const dtype = commonType(definition.name, a, b);
    return record1(op, [asTensor(a, dtype), asTensor(b, dtype)], {});
  };
}

// --- arithmetic -------------------------------------------------------------------------------------------------------------------

/** a + b, broadcast. */
export const add: (a: Operand, b: Operand) => Tensor = binary({
  name: 'add',
  expression: (a, b) => `${a} + ${b}`,
  reference: (a, b) => a + b,
  gradient: (g) => [g, g],
});
/** a - b, broadcast. */
export const sub: (a: Operand, b: Operand) => Tensor = binary({
  name: 'sub',
  expression: (a, b) => `${a} - ${b}`,
  reference: (a, b) => a - b,
  gradient: (g) => [g, neg(g)],
});
/** a * b, broadcast. */
export const mul: (a: Operand, b: Operand) => Tensor = binary({
  name: 'mul',
  expression: (a, b) => `${a} * ${b}`,
  reference: (a, b) => a * b,
  integer: Math.imul,
  gradient: (g, [a, b]) => [mul(g, b!), mul(g, a!)],
});
/** a / b, broadcast; integers truncate, and division by zero gives a. */
export const div: (a: Operand, b: Operand) => Tensor = binary({
  name: 'div',
  expression: (a, b) => `${a} / ${b}`,
  reference: (a, b) => a / b,
  integer: (a, b) => (b === 0 ? a : Math.trunc(a / b)),
  gradient: (g, [, b], y) => [div(g, b!), neg(mul(g, div(y, b!)))],
});
/** Elementwise maximum; at a tie the gradient goes to `a`. */
export const maximum: (a: Operand, b: Operand) => Tensor = binary({
  name: 'maximum',
  expression: (a, b) => `max(${a}, ${b})`,
  reference: Math.max,
  gradient: (g, [a, b]) => [select(greaterEqual(a!, b!), g, 0), select(greaterEqual(a!, b!), 0, g)],
});
/** Elementwise minimum; at a tie the gradient goes to `a`. */
export const minimum: (a: Operand, b: Operand) => Tensor = binary({
  name: 'minimum',
  expression: (a, b) => `min(${a}, ${b})`,
  reference: Math.min,
  gradient: (g, [a, b]) => [select(lessEqual(a!, b!), g, 0), select(lessEqual(a!, b!), 0, g)],
});

// --- comparisons: u32 0 or 1 ------------------------------------------------------------------------------------------------------

// @__NO_SIDE_EFFECTS__
function comparison(
  name: string,
  sign: string,
  reference: (a: number, b: number) => boolean,
): (a: Operand, b: Operand) => Tensor {
  return binary({
    name,
    expression: (a, b) => `select(U(0u), U(1u), ${a} ${sign} ${b})`,
    reference: (a, b) => Number(reference(a, b)),
    result: 'u32',
  });
}

/** 1 where a = b, else 0 (u32), as all comparisons. */
export const equal: (a: Operand, b: Operand) => Tensor = comparison('equal', '==', (a, b) => a === b);
export const notEqual: (a: Operand, b: Operand) => Tensor = comparison('notEqual', '!=', (a, b) => a !== b);
export const less: (a: Operand, b: Operand) => Tensor = comparison('less', '<', (a, b) => a < b);
export const lessEqual: (a: Operand, b: Operand) => Tensor = comparison('lessEqual', '<=', (a, b) => a <= b);
export const greater: (a: Operand, b: Operand) => Tensor = comparison('greater', '>', (a, b) => a > b);
export const greaterEqual: (a: Operand, b: Operand) => Tensor = comparison('greaterEqual', '>=', (a, b) => a >= b);

const selectOp = elementwise({
  name: 'select',
  chooses: true,
  expression: (condition, a, b) => `select(${b}, ${a}, ${condition} != U(0u))`,
  reference: (condition, a, b) => (condition !== 0 ? a : b),
  gradient: (g, [condition]) => [undefined, select(condition!, g, 0), select(condition!, 0, g)],
});
/** a where `condition` (u32) is not 0, else b. */
export function select(condition: Tensor, a: Operand, b: Operand): Tensor {
  if (checkTensor('select', condition).dtype !== 'u32')
    opError('dtype', 'select', `the condition must be u32 (a comparison), got ${condition.dtype}`);
  const dtype = commonType('select', a, b);
  return record1(selectOp, [condition, asTensor(a, dtype), asTensor(b, dtype)], {});
}

/** 1 where x is finite, 0 where it is infinite or NaN (u32). */
export const finite: (x: Tensor) => Tensor = unary({
  name: 'finite',
  // by bits: compilers may assume that floats are finite
  expression: (x) => `select(U(1u), U(0u), (bitcast<U>(${x}) & U(0x7f800000u)) == U(0x7f800000u))`,
  reference: (x) => Number(Number.isFinite(x)),
  result: 'u32',
});

// --- functions --------------------------------------------------------------------------------------------------------------------

/** -x */
export const neg: (x: Tensor) => Tensor = unary({
  name: 'neg',
  expression: (x) => `-${x}`,
  reference: (x) => -x,
  gradient: (g) => [neg(g)],
});
/** |x|; the gradient at 0 is 0. */
export const abs: (x: Tensor) => Tensor = unary({
  name: 'abs',
  expression: (x) => `abs(${x})`,
  reference: Math.abs,
  gradient: (g, [x]) => [mul(g, sign(x!))],
});
/** -1, 0 or 1; the gradient is 0. */
export const sign: (x: Tensor) => Tensor = unary({
  name: 'sign',
  expression: (x) => `sign(${x})`,
  reference: Math.sign,
  gradient: () => [undefined],
});
/** e^x */
export const exp: (x: Tensor) => Tensor = unary({
  name: 'exp',
  expression: (x) => `exp(${x})`,
  reference: Math.exp,
  gradient: (g, _, y) => [mul(g, y)],
});
/** Natural logarithm. */
export const log: (x: Tensor) => Tensor = unary({
  name: 'log',
  expression: (x) => `log(${x})`,
  reference: Math.log,
  gradient: (g, [x]) => [div(g, x!)],
});
/** Square root. */
export const sqrt: (x: Tensor) => Tensor = unary({
  name: 'sqrt',
  expression: (x) => `sqrt(${x})`,
  reference: Math.sqrt,
  gradient: (g, _, y) => [div(mul(g, 0.5), y)],
});
/** 1 / sqrt(x) */
export const rsqrt: (x: Tensor) => Tensor = unary({
  name: 'rsqrt',
  expression: (x) => `inverseSqrt(${x})`,
  reference: (x) => 1 / Math.sqrt(x),
  gradient: (g, _, y) => [mul(mul(g, -0.5), mul(y, mul(y, y)))],
});
/** x^2 */
export const square = (x: Tensor): Tensor => mul(x, x);
/** Hyperbolic tangent. */
export const tanh: (x: Tensor) => Tensor = unary({
  name: 'tanh',
  // WGSL's own overflows in exp beyond 44
  expression: (x) => `tanh(clamp(${x}, F(-20.0), F(20.0)))`,
  reference: Math.tanh,
  gradient: (g, _, y) => [mul(g, sub(1, mul(y, y)))],
});
/** max(x, 0); its gradient at 0 is 0. NaN stays NaN, which WGSL's `max` would hide. */
export const relu: (x: Tensor) => Tensor = unary({
  name: 'relu',
  expression: (x) => `select(${x}, F(0.0), ${x} < F(0.0))`,
  reference: (x) => Math.max(x, 0),
  gradient: (g, [x]) => [select(greater(x!, 0), g, 0)],
});
/** 1 / (1 + e^-x) */
export const sigmoid: (x: Tensor) => Tensor = unary({
  name: 'sigmoid',
  expression: (x) => `F(1.0) / (F(1.0) + exp(-clamp(${x}, F(-80.0), F(80.0))))`,
  reference: (x) => 1 / (1 + Math.exp(-x)),
  gradient: (g, _, y) => [mul(g, mul(y, sub(1, y)))],
});
/** x * sigmoid(x) */
export const silu: (x: Tensor) => Tensor = unary({
  name: 'silu',
  expression: (x) => `${x} / (F(1.0) + exp(-clamp(${x}, F(-80.0), F(80.0))))`,
  reference: (x) => x / (1 + Math.exp(-x)),
  gradient: (g, [x]) => [mul(g, siluSlope(x!))],
});
const siluSlope: (x: Tensor) => Tensor = (x) => {
  const s = sigmoid(x);
  return mul(s, add(1, mul(x, sub(1, s))));
};
/** Error function. */
export const erf: (x: Tensor) => Tensor = unary({
  name: 'erf',
  expression: (x) => `erf(${x})`,
  reference: erf64,
  gradient: (g, [x]) => [mul(g, mul(2 / Math.sqrt(Math.PI), exp(neg(mul(x!, x!)))))],
});
/** Exact GELU, x * Phi(x) = x/2 (1 + erf(x / sqrt 2)) (not the tanh approximation). */
export const gelu: (x: Tensor) => Tensor = unary({
  name: 'gelu',
  expression: (x) => `${x} * normalCdf(${x}, exp(F(-0.5) * ${x} * ${x}))`,
  reference: (x) => 0.5 * x * (1 + erf64(x * Math.SQRT1_2)),
  gradient: (g, [x]) => [mul(g, geluSlope(x!))],
});
const geluSlope: (x: Tensor) => Tensor = unary({
  name: 'geluSlope',
  expression: (x) =>
    `normalCdf(${x}, exp(F(-0.5) * ${x} * ${x})) + ${x} * F(${1 / Math.sqrt(2 * Math.PI)}f) * exp(F(-0.5) * ${x} * ${x})`,
  reference: (x) => 0.5 * (1 + erf64(x * Math.SQRT1_2)) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI),
});
/** x limited to [low, high]; outside the gradient is 0. */
export const clamp = (x: Tensor, low: number, high: number): Tensor => minimum(maximum(x, low), high);

// --- casts ------------------------------------------------------------------------------------------------------------------------

// the largest f32 that fit
const INTEGER_RANGE = { i32: [-(2 ** 31), 2 ** 31 - 128], u32: [0, 2 ** 32 - 256] } as const;

/** What WGSL's conversions do: integers wrap into each other, floats are cut to the integer range. */
function convert(x: number, from: DType, to: DType): number {
  if (to === 'f32' || to === 'f16') return x;
  if (!isFloat(from)) return wrapTo[to](x);
  const [lowest, highest] = INTEGER_RANGE[to];
  return Math.trunc(Math.min(Math.max(x, lowest), highest)) || 0;
}

// @__NO_SIDE_EFFECTS__
function castOp(to: DType): Op<{ from: DType }> {
  return {
    name: `cast to ${to}`,
    infer: ([x]) => [{ shape: x!.shape, dtype: to }],
    expression: ([x]) => `${isFloat(to) ? 'F' : to === 'i32' ? 'I' : 'U'}(${x})`,
    reference: ([x], { from }) => [x!.data.map((value) => convert(value, from, to))],
    gradient: ({ inputs, grads }) => [
      isFloat(inputs[0]!.dtype) && isFloat(to) ? cast(grads[0]!, inputs[0]!.dtype) : undefined,
    ],
  };
}
const castOps = { f32: castOp('f32'), f16: castOp('f16'), i32: castOp('i32'), u32: castOp('u32') };

/** x as `dtype`. f16 rounds to nearest even; floats lose their fraction and are cut to the range of an integer type; integers wrap. */
export function cast(x: Tensor, dtype: DType): Tensor {
  if (checkTensor('cast', x).dtype === dtype) return x;
  checkSpec('cast: the result', { shape: x.shape, dtype });
  return record1(castOps[dtype], [x], { from: x.dtype });
}
