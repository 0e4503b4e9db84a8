/** Every elementwise op with what tests need of it: its operands, where it is defined, whether it has a gradient. A new op adds a line. */
import type { Tensor } from '../graph/op';
import * as ops from '../ops/elementwise';

export interface ElementwiseCase {
  readonly operands: 1 | 2;
  readonly build: (a: Tensor, b: Tensor) => Tensor | readonly Tensor[];
  /** Brings any number to where the op is defined and smooth (default: it is so everywhere). */
  readonly domain?: (x: number) => number;
  /** Whether results depend smoothly on the operands (default true). */
  readonly gradient?: false;
  /** The op takes integers too. */
  readonly integers?: true;
}

const unary = (
  build: (x: Tensor) => Tensor | readonly Tensor[],
  more: Partial<ElementwiseCase> = {},
): ElementwiseCase => ({
  operands: 1,
  build,
  ...more,
});
const arithmetic = (build: ElementwiseCase['build'], more: Partial<ElementwiseCase> = {}): ElementwiseCase => ({
  operands: 2,
  build,
  integers: true,
  ...more,
});
const comparison = (build: ElementwiseCase['build']): ElementwiseCase => arithmetic(build, { gradient: false });
const positive = { domain: (x: number): number => Math.abs(x) + 0.1 };

export const ELEMENTWISE_CASES: Readonly<Record<keyof typeof ops, ElementwiseCase>> = {
  add: arithmetic(ops.add),
  sub: arithmetic(ops.sub),
  mul: arithmetic(ops.mul),
  div: arithmetic(ops.div, { domain: (x) => x + Math.sign(x) / 2 }),
  maximum: arithmetic(ops.maximum),
  minimum: arithmetic(ops.minimum),
  equal: comparison(ops.equal),
  notEqual: comparison(ops.notEqual),
  less: comparison(ops.less),
  lessEqual: comparison(ops.lessEqual),
  greater: comparison(ops.greater),
  greaterEqual: comparison(ops.greaterEqual),
  select: { operands: 2, build: (a, b) => ops.select(ops.greater(a, b), ops.mul(a, 3), b) },
  finite: unary(ops.finite, { gradient: false }),
  neg: unary(ops.neg),
  abs: unary(ops.abs),
  sign: unary(ops.sign),
  exp: unary(ops.exp),
  log: unary(ops.log, positive),
  sqrt: unary(ops.sqrt, positive),
  rsqrt: unary(ops.rsqrt, positive),
  square: unary(ops.square),
  tanh: unary(ops.tanh),
  relu: unary(ops.relu),
  sigmoid: unary(ops.sigmoid),
  silu: unary(ops.silu),
  erf: unary(ops.erf),
  gelu: unary(ops.gelu),
  clamp: unary((x) => ops.clamp(x, -0.5, 0.5)),
  cast: unary((x) => [ops.cast(x, 'i32'), ops.cast(ops.cast(x, 'u32'), x.dtype)], { gradient: false }),
};
