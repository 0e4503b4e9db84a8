/**
 * Cross-entropy between two softmaxes over K classes, in chunks of classes. K may be far too many to hold the logits of all rows. The
 * classes come in chunks; per row the op carries statistics from chunk to chunk, in the manner of online softmax (Milakov & Gimelshein
 * 2018):
 *
 *   a = log sum_k exp x_k          student logits x [R, K]
 *   b = log sum_k exp(y_k + c_k)   target logits y [T, K] with a bias c [K]: the target is t = softmax(y + c)
 *   d = sum_k t_k x_k              so that the cross-entropy -sum_k t_k log softmax(x)_k is a - d
 *
 * Row r has `views` pairs (b, d), one per target it is compared with. Multi-crop training needs two kinds of rows: the first `own` rows have target r; a row
 * after them has `views` targets, (r - own) mod (T / views) + v T / views. Gradient, to x only:
 *   dL/dx_k = dL/da exp(x_k - a) + sum_v dL/dd_v exp(y_vk + c_k - b_v).
 * Logits, targets and gradient are each touched once; nothing but the gradient is written.
 */
import { opError } from '../../base/errors';
import { showShape } from '../../base/shape';
import type { LowerArgs, NdArray, Op, Spec, Tensor } from '../../graph/op';
import { checkTensor, record, record1 } from '../../graph/record';
import { elementType, kernelBuilder } from '../../kernels/kernel-builder';
import { rowKernel } from '../../kernels/row-kernel';
import { flatDot, flatMax, flatSum, floatType } from '../../kernels/vectors';
import { mul } from '../elementwise';
import { sum } from '../reduce';
import { constant } from '../sources';
import { LOG_ADD, logSum64 } from './log-sums';

/** Which targets each row is compared with; see the head of this file. */
export interface TargetPairing {
  /** The first rows, each with the target of its own number. */
  readonly own: number;
  /** Targets of every other row. */
  readonly views: number;
}

type Attrs = TargetPairing;

const statistics = ({ views }: Attrs): number => 1 + 2 * views;

/** Targets of row r among T. */
function targetsOf(r: number, T: number, { own, views }: Attrs): number[] {
  if (r < own) return [r];
  const stride = T / views;
  return Array.from({ length: views }, (_, v) => ((r - own) % stride) + v * stride);
}

function check([x, y, bias]: readonly Spec[], { own, views }: Attrs): void {
  const [R, K] = x!.shape as [number, number];
  const T = y!.shape[0]!;
  if (
    x!.shape.length !== 2 ||
    y!.shape.length !== 2 ||
    y!.shape[1] !== K ||
    bias!.shape.length !== 1 ||
    bias!.shape[0] !== K
  )
    opError(
      'shape',
      'softCrossEntropy',
      `needs x [R, K], y [T, K] and bias [K], got ${[x!, y!, bias!].map((spec) => showShape(spec.shape)).join(', ')}`,
    );
  if (!(own >= 0 && own <= Math.min(R, T)) || views < 1 || T % views !== 0)
    opError(
      'argument',
      'softCrossEntropy',
      `${own} rows of their own and ${views} views do not fit ${R} rows and ${T} targets`,
    );
}

const chunkOp: Op<Attrs> = {
  name: 'softCrossEntropy',
  infer(inputs, attrs) {
    check(inputs, attrs);
    return [{ shape: [inputs[0]!.shape[0]!, statistics(attrs)], dtype: 'f32' }];
  },
  reference: (inputs, attrs) => [forward64(inputs, attrs)],
  // the statistics as they were kept from the forward pass: no need to compute them again with the logits
  gradient({ inputs: [x, y, bias, previous], forward, attrs, grads }) {
    const [dx, carried] = record(
      gradientOp,
      [x!, y!, bias!, forward[0]!, grads[0]!, ...(previous ? [previous] : [])],
      attrs,
    );
    return [dx, undefined, undefined, carried];
  },
  lower: lowerForward,
};

const gradientOp: Op<Attrs> = {
  name: 'softCrossEntropyGradient',
  infer: ([x, , , stats, , previous]) => (previous ? [x!, stats!] : [x!]),
  reference: (inputs, attrs) => backward64(inputs, attrs),
  lower: lowerGradient,
};

/** A row of a matrix plus a bias. */
const shifted = (y: NdArray, row: number, bias: NdArray): Float64Array =>
  bias.data.map((value, k) => value + y.data[row * bias.data.length + k]!);

function forward64([x, y, bias, previous]: readonly NdArray[], attrs: Attrs): Float64Array {
  const [R, K] = x!.shape as [number, number];
  const S = statistics(attrs);
  const out = new Float64Array(R * S);
  for (let r = 0; r < R; r++) {
    const row = x!.data.subarray(r * K, (r + 1) * K);
    const before = previous?.data.subarray(r * S, (r + 1) * S);
    const stats = out.subarray(r * S, (r + 1) * S);
    stats[0] = logSum64(before ? [before[0]!, ...row] : row);
    targetsOf(r, y!.shape[0]!, attrs).forEach((target, v) => {
      const logits = shifted(y!, target, bias!);
      const b = logSum64(before ? [before[1 + 2 * v]!, ...logits] : logits);
      stats[1 + 2 * v] = b;
      stats[2 + 2 * v] = logits.reduce(
        (d, value, k) => d + Math.exp(value - b) * row[k]!,
        before ? before[2 + 2 * v]! * Math.exp(before[1 + 2 * v]! - b) : 0,
      );
    });
  }
  return out;
}

function backward64([x, y, bias, stats, grad, previous]: readonly NdArray[], attrs: Attrs): Float64Array[] {
  const [R, K] = x!.shape as [number, number];
  const S = statistics(attrs);
  const dx = new Float64Array(R * K);
  const carried = new Float64Array(R * S);
  for (let r = 0; r < R; r++) {
    const at = (array: NdArray, i: number): number => array.data[r * S + i]!;
    for (let k = 0; k < K; k++) dx[r * K + k] = at(grad!, 0) * Math.exp(x!.data[r * K + k]! - at(stats!, 0));
    if (previous) carried[r * S] = at(grad!, 0) * Math.exp(at(previous, 0) - at(stats!, 0));
    targetsOf(r, y!.shape[0]!, attrs).forEach((target, v) => {
      shifted(y!, target, bias!).forEach((value, k) => {
        dx[r * K + k]! += at(grad!, 2 + 2 * v) * Math.exp(value - at(stats!, 1 + 2 * v));
      });
      if (previous)
        carried[r * S + 2 + 2 * v] = at(grad!, 2 + 2 * v) * Math.exp(at(previous, 1 + 2 * v) - at(stats!, 1 + 2 * v));
    });
  }
  return previous ? [dx, carried] : [dx];
}

/** Bindings and WGSL that both kernels share: `base` and `width` of x, and for view v of the row its first element in y. */
function setUp(label: string, { inputs: [x, y, bias], attrs, target }: LowerArgs<Attrs>) {
  const [rows, columns] = x!.shape as [number, number];
  const width: 1 | 4 = columns % 4 === 0 ? 4 : 1;
  const k = kernelBuilder(label, target);
  const F = floatType(width);
  const [X, Y, C] = [x!, y!, bias!].map((tensor) => k.read(tensor, elementType(tensor, width)));
  const n = k.uniform(columns / width);
  const stride = k.uniform(y!.shape[0]! / attrs.views);
  const prologue = `
  let base = row * ${n};
  let own = row < ${k.uniform(attrs.own)};
  let views = select(${k.uniform(attrs.views)}, 1u, own);
  let target0 = select((row - ${k.uniform(attrs.own)}) % ${stride}, row, own) * ${n};
  let next = ${stride} * ${n};
  let stats = row * ${k.uniform(statistics(attrs))};`;
  const loop = (body: string) => `for (var c = lane; c < ${n}; c += LANES) { ${body} }`;
  const shape = { rows, steps: columns / width, kind: 'prototypes' as const };
  const loads = { x: `${F}(${X}[base + c])`, y: (from: string) => `${F}(${Y}[${from} + c]) + ${F}(${C}[c])` };
  return { k, width, prologue, loop, loads, shape, flops: rows * columns * (6 + 8 * attrs.views) };
}

function lowerForward(args: LowerArgs<Attrs>) {
  const { k, width, prologue, loop, loads, shape, flops } = setUp('softCrossEntropy', args);
  const previous = args.inputs[3];
  const P = previous && k.read(previous);
  const O = k.write(args.outputs[0]!);
  const own = `
    let x = ${loads.x};
    let top = max(high, ${flatMax('x', width)});
    let e = exp(x - top);
    total = total * exp(high - top) + ${flatSum('e', width)};
    high = top;`;
  const target = (from: string) => `
    let y = ${loads.y(from)};
    let peak = max(most, ${flatMax('y', width)});
    let p = exp(y - peak);
    let shrink = exp(most - peak);
    mass = mass * shrink + ${flatSum('p', width)};
    moment = moment * shrink + ${flatDot('p', 'x', width)};
    most = peak;`;
  const finish = (v: string) => `
  { let peak = rowMax(most);
    let shrink = exp(most - peak);
    let whole = rowSum(mass * shrink);
    let mean = rowSum(moment * shrink) / whole;
    if (lane == 0u) { keep(stats + 1u + 2u * ${v}, peak + log(whole), mean); } }`;
  const keepBody = P
    ? `let b = log_add(${P}[at], own); ${O}[at] = b; ${O}[at + 1u] = exp(${P}[at] - b) * ${P}[at + 1u] + exp(own - b) * mean;`
    : `${O}[at] = own; ${O}[at + 1u] = mean;`;
  const body = `${prologue}
  var high = -3.4028234e38; var total = 0.0;
  var most = -3.4028234e38; var mass = 0.0; var moment = 0.0;
  ${loop(own + target('target0'))}
  let top = rowMax(high);
  let sum = rowSum(total * exp(high - top));
  if (lane == 0u) { let a = top + log(sum); ${O}[stats] = ${P ? `log_add(${P}[stats], a)` : 'a'}; }
  ${finish('0u')}
  for (var v = 1u; v < views; v++) {
    most = -3.4028234e38; mass = 0.0; moment = 0.0;
    let other = target0 + v * next;
    ${loop(`let x = ${loads.x}; ${target('other')}`)}
    ${finish('v')}
  }
  if (lane == 0u) { for (var i = 1u + 2u * views; i < ${k.uniform(statistics(args.attrs))}; i++) { ${O}[stats + i] = 0.0; } }`;
  const declarations = `${P ? LOG_ADD : ''}\nfn keep(at: u32, own: f32, mean: f32) { ${keepBody} }`;
  const rounds = Math.max(args.attrs.views - 1, 1);
  return [rowKernel(k, { body, declarations, ...shape, flops, rounds })];
}

function lowerGradient(args: LowerArgs<Attrs>) {
  const { k, width, prologue, loop, loads, shape, flops } = setUp('softCrossEntropyGradient', args);
  const [, , , stats, grad, previous] = args.inputs;
  const [A, G] = [k.read(stats!), k.read(grad!)];
  const P = previous && k.read(previous);
  const [dx, carried] = args.outputs;
  const D = k.write(dx!, elementType(dx!, width));
  const Q = carried && k.write(carried);
  const size = k.uniform(statistics(args.attrs));
  const carry = `
  if (lane == 0u) {
    for (var i = 0u; i < ${size}; i++) { ${Q}[stats + i] = 0.0; }
    ${Q}[stats] = ga * exp(${P}[stats] - a);
    for (var v = 0u; v < views; v++) { let i = stats + 1u + 2u * v; ${Q}[i + 1u] = ${G}[i + 1u] * exp(${P}[i] - ${A}[i]); }
  }`;
  const body = `${prologue}
  let a = ${A}[stats]; let ga = ${G}[stats];
  let b = ${A}[stats + 1u]; let gd = ${G}[stats + 2u];
  ${loop(`
    var d = ga * exp(${loads.x} - a) + gd * exp(${loads.y('target0')} - b);
    for (var v = 1u; v < views; v++) { let i = stats + 1u + 2u * v; d += ${G}[i + 1u] * exp(${loads.y('target0 + v * next')} - ${A}[i]); }
    ${D}[base + c] = ${elementType(dx!, width)}(d);`)}
  ${Q ? carry : ''}`;
  return [rowKernel(k, { body, ...shape, flops, rounds: args.attrs.views })];
}

/**
 * Statistics f32 [R, 1 + 2 views] of one chunk of classes: x [R, K], y [T, K], bias [K]; `previous` are those of the chunks before. Differentiable with
 * respect to x and `previous`; y and bias are constants to the gradient.
 */
export const softCrossEntropyChunk = (
  x: Tensor,
  { logits, bias }: { readonly logits: Tensor; readonly bias: Tensor },
  pairing: TargetPairing,
  previous?: Tensor,
): Tensor => record1(chunkOp, previous ? [x, logits, bias, previous] : [x, logits, bias], pairing);

/** Cross-entropy of each row [R], summed over the targets of the row, from the statistics of all chunks. */
export function softCrossEntropy(stats: Tensor, pairing: TargetPairing): Tensor {
  checkTensor('softCrossEntropy', stats);
  const [R, S] = stats.shape as [number, number];
  const coefficients = Float64Array.from({ length: R * S }, (_, i) => {
    const [r, s] = [Math.floor(i / S), i % S];
    const targets = r < pairing.own ? 1 : pairing.views;
    if (s === 0) return targets;
    return s % 2 === 0 && s <= 2 * targets ? -1 : 0;
  });
  return sum(mul(stats, constant(coefficients, [R, S])), [1]);
}
