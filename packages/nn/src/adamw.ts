/**
 * AdamW (Loshchilov & Hutter 2019) with clipping by global norm, EMA of a teacher and f16 copies, one kernel per flat window of state:
 *
 *   g <- g s                     s: unscaling and clipping, per clip group
 *   w <- w (1 - lr wd)           decoupled decay
 *   m <- b1 m + (1 - b1) g,      v <- b2 v + (1 - b2) g^2
 *   w <- w - lr (m / c1) / (sqrt(v / c2) + eps),  c = 1 - b^t
 *   teacher <- mu teacher + (1 - mu) w
 *
 * lr, wd and s differ from parameter to parameter. They are worked out once per step into a table [parameters, 4], and each block of 128 elements knows
 * its parameter. A step whose gradients are not finite changes neither weights nor moments (the teacher still moves, as officially).
 */
import {
  add,
  assign,
  cast,
  concat,
  constant,
  div,
  finite,
  type GroupLayout,
  type GroupTensors,
  gatherRows,
  kernelBuilder,
  matmul,
  minimum,
  mul,
  notEqual,
  type Op,
  record,
  record1,
  reshape,
  rowKernel,
  SEGMENT_ALIGNMENT,
  select,
  sizeOf,
  sqrt,
  sub,
  sum,
  type Tensor,
  TensorError,
  type Window,
} from '@franca/tensor';
import type { ParameterRule } from './parameter-groups';
import { blockParameters, blockRange } from './segment-blocks';

export interface AdamWOptions {
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  /** Largest gradient norm of each clip group; 0 or absent: no clipping. */
  readonly maxNorm?: number;
  /** Rule of each parameter by name. */
  readonly rule: (name: string) => ParameterRule;
  /** Clip group of each parameter by name (default: one for all); groups are clipped separately. */
  readonly clipGroup?: (name: string) => string;
}

export interface AdamWInput {
  readonly weights: GroupTensors;
  /** First and second moments, groups of the same names as `weights`. */
  readonly m: GroupTensors;
  readonly v: GroupTensors;
  /** Windows of the gradient group, as `store` returns them. */
  readonly gradients: readonly Tensor[];
  /** State [2]: the bias corrections 1 - b1^t and 1 - b2^t; zero at the start. */
  readonly corrections: Tensor;
  /** Scalars, per step. */
  readonly lr: Tensor;
  readonly weightDecay: Tensor;
  /** Learning rate of last layers (default: `lr`). */
  readonly lastLayerLr?: Tensor;
  /** What the loss was multiplied by (default 1). */
  readonly lossScale?: Tensor;
  /** A scalar; 0: leave everything as it is, because the gradients are not complete yet (default 1). */
  readonly enabled?: Tensor;
  /** A second set of weights that follows: teacher <- momentum teacher + (1 - momentum) weights. */
  readonly teacher?: { readonly group: GroupTensors; readonly momentum: Tensor };
}

export interface AdamWOutput {
  /** Updated windows. */
  readonly weights: readonly Tensor[];
  readonly teacher: readonly Tensor[] | undefined;
  /** Gradient norm of each clip group before clipping, unscaled. */
  readonly norms: Readonly<Record<string, Tensor>>;
  /** Squared gradient norm of each parameter [P], unscaled, in the order of `names`. */
  readonly squaredNorms: Tensor;
  readonly names: readonly string[];
  /** u32 1 if all gradients were finite. */
  readonly finite: Tensor;
}

/** One optimizer step on a whole group. Records updates of weights, moments, corrections and teacher. */
export function adamW(
  input: AdamWInput,
  { betas = [0.9, 0.999], eps = 1e-8, maxNorm = 0, rule, clipGroup = () => 'all' }: AdamWOptions,
): AdamWOutput {
  const { layout } = input.weights;
  const names = Object.keys(layout.segments);
  if (names.length === 0) throw new TensorError('argument', 'adamW: the group has no parameters');
  const groups = [...new Set(names.map(clipGroup))];
  const unscale = input.lossScale ? div(1, input.lossScale) : undefined;

  const raw = input.gradients
    .map((window, i) => segmentSquares(window, layout, layout.windows[i]!))
    .reduce((a, b) => add(a, b));
  const squaredNorms = unscale ? mul(raw, mul(unscale, unscale)) : raw;
  const membership = Float64Array.from({ length: names.length * groups.length }, (_, i) =>
    Number(clipGroup(names[Math.floor(i / groups.length)]!) === groups[i % groups.length]),
  );
  const perGroup = reshape(
    matmul(reshape(squaredNorms, [1, names.length]), constant(membership, [names.length, groups.length])),
    [groups.length],
  );
  const norms = sqrt(perGroup);
  const allFinite = finite(sum(norms));

  const clip = maxNorm > 0 ? minimum(div(maxNorm, add(norms, 1e-6)), 1) : add(mul(norms, 0), 1);
  const scale = unscale ? mul(clip, unscale) : clip;
  const [b1, b2] = betas;
  const ceiling = constant([1 - b1, 1 - b2], [2]);
  const decayed = add(mul(input.corrections, constant([b1, b2], [2])), ceiling);
  const go = input.enabled ? mul(cast(allFinite, 'f32'), input.enabled) : cast(allFinite, 'f32');
  const corrections = assign(input.corrections, select(notEqual(go, 0), decayed, input.corrections));

  const rules = names.map(rule);
  const column = (values: readonly number[]) => constant(values, [names.length]);
  const lrs = mul(
    column(rules.map((r) => r.lrMultiplier)),
    select(
      constant(
        rules.map((r) => Number(r.isLastLayer)),
        [names.length],
        'u32',
      ),
      input.lastLayerLr ?? input.lr,
      input.lr,
    ),
  );
  const decay = sub(1, mul(lrs, mul(column(rules.map((r) => r.weightDecayMultiplier)), input.weightDecay)));
  const scales = gatherRows(
    reshape(scale, [groups.length, 1]),
    constant(
      names.map((name) => groups.indexOf(clipGroup(name))),
      [names.length],
      'u32',
    ),
  );
  const rows = (x: Tensor) => reshape(x, [names.length, 1]);
  const still = constant([1], []);
  const follow = input.teacher?.momentum ?? still;
  const momentum = input.enabled ? select(notEqual(input.enabled, 0), follow, still) : follow;
  const one = (x: Tensor) => reshape(x, [1, 1]);
  const shared = concat([one(go), one(momentum), reshape(corrections, [1, 2])], 1);
  const table = concat([concat([rows(lrs), rows(decay), scales, rows(mul(lrs, 0))], 1), shared], 0);

  const updated = input.weights.windows.map((weights, i) => {
    const blocks = constant(
      blockParameters(layout, layout.windows[i]!),
      [layout.windows[i]!.elements / SEGMENT_ALIGNMENT],
      'u32',
    );
    const teacher = input.teacher?.group.windows[i];
    return record(
      teacher ? withTeacher : withoutTeacher,
      [
        weights,
        input.m.windows[i]!,
        input.v.windows[i]!,
        ...(teacher ? [teacher] : []),
        input.gradients[i]!,
        blocks,
        table,
      ],
      { b1, b2, eps, teacher: teacher !== undefined },
    );
  });
  return {
    weights: updated.map((outputs) => outputs[0]!),
    teacher: input.teacher ? updated.map((outputs) => outputs[3]!) : undefined,
    norms: Object.fromEntries(
      groups.map((group, i) => [
        group,
        reshape(gatherRows(reshape(norms, [groups.length, 1]), constant([i], [1], 'u32')), []),
      ]),
    ),
    squaredNorms,
    names,
    finite: allFinite,
  };
}

const blockSquaresOp: Op<object> = {
  name: 'blockSquares',
  infer: ([x]) => [{ shape: [x!.shape[0]! / SEGMENT_ALIGNMENT], dtype: 'f32' }],
  reference: ([x], _, [out]) => [
    Float64Array.from({ length: sizeOf(out!.shape) }, (_, b) =>
      x!.data.subarray(b * SEGMENT_ALIGNMENT, (b + 1) * SEGMENT_ALIGNMENT).reduce((s, g) => s + g * g, 0),
    ),
  ],
  lower({ inputs: [x], outputs: [out], target }) {
    const k = kernelBuilder('blockSquares', target);
    const [X, O] = [k.read(x!, 'vec4<f32>'), k.write(out!)];
    const body = `
  if (thread >= ${k.uniform(sizeOf(out!.shape))}) { return; }
  var acc = 0.0;
  for (var i = thread * ${SEGMENT_ALIGNMENT / 4}u; i < thread * ${SEGMENT_ALIGNMENT / 4}u + ${k.uniform(SEGMENT_ALIGNMENT / 4)}; i++) { let g = ${X}[i]; acc += dot(g, g); }
  ${O}[thread] = acc;`;
    return [
      k.build({ body, workgroupSize: 64, workgroups: Math.ceil(sizeOf(out!.shape) / 64), flops: 2 * sizeOf(x!.shape) }),
    ];
  },
};

const rangeSumOp: Op<object> = {
  name: 'rangeSum',
  infer: ([, ranges]) => [{ shape: [ranges!.shape[0]!], dtype: 'f32' }],
  reference: ([x, ranges]) => [
    Float64Array.from({ length: ranges!.shape[0]! }, (_, i) =>
      x!.data.subarray(ranges!.data[2 * i]!, ranges!.data[2 * i + 1]!).reduce((a, b) => a + b, 0),
    ),
  ],
  lower({ inputs: [x, ranges], outputs: [out], target }) {
    const k = kernelBuilder('rangeSum', target);
    const [X, R, O] = [k.read(x!), k.read(ranges!, 'vec2<u32>'), k.write(out!)];
    const body = `
  let range = ${R}[row];
  var part = 0.0;
  for (var i = range.x + lane; i < range.y; i += LANES) { part += ${X}[i]; }
  let total = rowSum(part);
  if (lane == 0u) { ${O}[row] = total; }`;
    return [rowKernel(k, { body, rows: ranges!.shape[0]!, steps: sizeOf(x!.shape), flops: sizeOf(x!.shape) })];
  },
};

/** Sum of squares of each parameter's part of a window, [P]. */
function segmentSquares(window: Tensor, layout: GroupLayout, at: Window): Tensor {
  const segments = Object.values(layout.segments);
  const ranges = segments.flatMap((segment) => {
    const { first, end } = blockRange(segment, at);
    return [first, end];
  });
  return record1(
    rangeSumOp,
    [record1(blockSquaresOp, [window], {}), constant(ranges, [segments.length, 2], 'u32')],
    {},
  );
}

interface UpdateAttrs {
  readonly b1: number;
  readonly b2: number;
  readonly eps: number;
  readonly teacher: boolean;
}

/** Inputs: weights, m, v, [teacher], gradients, block parameters, table. Table row p: lr, 1 - lr wd, gradient scale; last row: go, momentum, c1, c2. */
const updateOp: Op<UpdateAttrs> = {
  name: 'adamW',
  infer: (inputs, { teacher }) =>
    inputs.slice(0, teacher ? 4 : 3).map((spec) => ({ shape: spec.shape, dtype: spec.dtype })),
  reference(inputs, { b1, b2, eps, teacher }) {
    const [w, m, v] = inputs.slice(0, 3).map((input) => input.data.slice()) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const t = teacher ? inputs[3]!.data.slice() : new Float64Array(0);
    const [g, blocks, table] = inputs.slice(teacher ? 4 : 3).map((input) => input.data) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const [go, momentum, c1, c2] = table.slice(-4) as unknown as [number, number, number, number];
    for (let i = 0; i < w.length; i++) {
      const row = 4 * blocks[Math.floor(i / SEGMENT_ALIGNMENT)]!;
      const [lr, decay, scale] = [table[row]!, table[row + 1]!, table[row + 2]!];
      if (go !== 0) {
        const gradient = g[i]! * scale;
        m[i] = b1 * m[i]! + (1 - b1) * gradient;
        v[i] = b2 * v[i]! + (1 - b2) * gradient * gradient;
        w[i] = w[i]! * decay - (lr * m[i]!) / c1 / (Math.sqrt(v[i]! / c2) + eps);
      }
      if (teacher) t[i] = momentum * t[i]! + (1 - momentum) * w[i]!;
    }
    return teacher ? [w, m, v, t] : [w, m, v];
  },
  lower({ inputs, outputs, attrs: { b1, b2, eps, teacher }, target }) {
    const k = kernelBuilder('adamW', target);
    const V = 'vec4<f32>';
    const [W, M, S] = inputs.slice(0, 3).map((input) => k.write(input, V));
    const T = teacher ? k.write(inputs[3]!, V) : '';
    const [g, blocks, table] = inputs.slice(teacher ? 4 : 3);
    const [G, B, C] = [k.read(g!, V), k.read(blocks!), k.read(table!, V)];
    const n = sizeOf(outputs[0]!.shape) / 4;
    const [beta1, beta2] = [k.uniformF32(b1), k.uniformF32(b2)];
    const [rest1, rest2] = [k.uniformF32(1 - b1), k.uniformF32(1 - b2)];
    const perThread = target.family === 'cpu' ? 4 : 1;
    const body = `
  let first = thread * ${perThread}u;
  let whole = ${C}[${k.uniform(table!.shape[0]! - 1)}];
  for (var i = first; i < min(first + ${perThread}u, ${k.uniform(n)}); i++) {
    let c = ${C}[${B}[i / ${SEGMENT_ALIGNMENT / 4}u]];
    var w = ${W}[i];
    if (whole.x != 0.0) {
      let g = ${G}[i] * c.z;
      let m = ${beta1} * ${M}[i] + ${rest1} * g;
      let v = ${beta2} * ${S}[i] + ${rest2} * g * g;
      w = w * c.y - c.x * (m / whole.z) / (sqrt(v / whole.w) + ${k.uniformF32(eps)});
      ${M}[i] = m; ${S}[i] = v; ${W}[i] = w;
    }
    ${teacher ? `${T}[i] = whole.y * ${T}[i] + (1.0 - whole.y) * w;` : ''}
  }`;
    return [k.build({ body, workgroupSize: 64, workgroups: Math.ceil(n / (64 * perThread)), flops: 15 * 4 * n })];
  },
};

const withTeacher: Op<UpdateAttrs> = { ...updateOp, mutates: [0, 1, 2, 3] };
const withoutTeacher: Op<UpdateAttrs> = { ...updateOp, mutates: [0, 1, 2] };
