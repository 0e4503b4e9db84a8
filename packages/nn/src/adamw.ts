/**
 * AdamW (Loshchilov & Hutter 2019) with clipping by norm and a teacher that follows. One kernel per flat window of state:
 *
 *   g <- g s                     s: unscaling and clipping, per clip group
 *   w <- w (1 - lr wd)           decoupled decay
 *   m <- b1 m + (1 - b1) g,      v <- b2 v + (1 - b2) g^2
 *   w <- w - lr (m / c1) / (sqrt(v / c2) + eps),  c = 1 - b^t
 *   teacher <- mu teacher + (1 - mu) w
 *
 * lr, wd and s differ from parameter to parameter. They are worked out once per step into a table [parameters, 4], and each block of 128 elements knows
 * its parameter. A trunk whose rate is 0 keeps every bit, and its teacher too, where the formulas would round; its moments go on. A step whose gradients are not finite changes neither weights nor moments (the teacher still moves, as officially).
 */
import {
  add,
  assign,
  cast,
  constant,
  div,
  type GroupTensors,
  gatherRows,
  minimum,
  mul,
  notEqual,
  reshape,
  SEGMENT_ALIGNMENT,
  type Shape,
  select,
  type Tensor,
  TensorError,
} from '@franca/tensor';
import { parameterTable } from './adamw-table';
import { updateWindow } from './adamw-update';
import { checkOptions } from './check-options';
import { gradientNorms } from './gradient-norms';
import { type ParameterRule, plainRule } from './parameter-groups';
import { blockParameters } from './segment-blocks';

export interface AdamWOptions {
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  /** Largest gradient norm of each clip group; 0 or absent: no clipping. */
  readonly maxNorm?: number;
  /** Rule of each parameter by name and shape (default `plainRule`: one rate for all, matrices decay, vectors do not). */
  readonly rule?: (name: string, shape: Shape) => ParameterRule;
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
  /** Learning rate of the parameters whose rule says `isTrunk` (default: `lr`). While it is 0 they and their teacher stay as they are, to the bit. */
  readonly trunkLr?: Tensor;
  /** What the loss was multiplied by (default 1). */
  readonly lossScale?: Tensor;
  /** A scalar; 0: leave everything as it is, because the gradients are not complete yet (default 1). */
  readonly enabled?: Tensor;
  /** A second set of weights that follows: teacher <- momentum teacher + (1 - momentum) weights. */
  readonly teacher?: {
    readonly group: GroupTensors;
    readonly momentum: Tensor;
    /** Copies of the teacher, as `copiesOf` lays them out. */
    readonly copies?: GroupTensors;
  };
  /** Copies of the weights, as `copiesOf` lays them out: they are rounded as the weights change. */
  readonly copies?: GroupTensors;
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

const OPTIONS: Record<keyof AdamWOptions, true> = {
  betas: true,
  eps: true,
  maxNorm: true,
  rule: true,
  clipGroup: true,
};
const INPUT: Record<keyof AdamWInput, true> = {
  weights: true,
  m: true,
  v: true,
  gradients: true,
  corrections: true,
  lr: true,
  weightDecay: true,
  lastLayerLr: true,
  trunkLr: true,
  lossScale: true,
  enabled: true,
  teacher: true,
  copies: true,
};

/** One optimizer step on a whole group. Records updates of weights, moments, corrections, teacher and copies. */
export function adamW(input: AdamWInput, options: AdamWOptions = {}): AdamWOutput {
  checkOptions('adamW', input, INPUT, ['weights', 'm', 'v', 'gradients', 'corrections', 'lr', 'weightDecay']);
  checkOptions('adamW', options, OPTIONS);
  const { betas = [0.9, 0.999], eps = 1e-8, maxNorm = 0, rule = plainRule, clipGroup = () => 'all' } = options;
  const [b1, b2] = betas;
  const { layout } = input.weights;
  const names = Object.keys(layout.segments);
  if (names.length === 0) throw new TensorError('argument', 'adamW: the group has no parameters');
  checkCopies(input.weights, input.copies);
  checkCopies(input.teacher?.group, input.teacher?.copies);
  const clipGroups = names.map(clipGroup);
  const gradients = gradientNorms(input.gradients, layout, clipGroups, input.lossScale);
  const { groups, norms, finite, unscale, squaredNorms } = gradients;
  const clip = maxNorm > 0 ? minimum(div(maxNorm, add(norms, 1e-6)), 1) : add(mul(norms, 0), 1);
  const scale = unscale ? mul(clip, unscale) : clip;

  const ceiling = constant([1 - b1, 1 - b2], [2]);
  const advanced = add(mul(input.corrections, constant([b1, b2], [2])), ceiling);
  const go = input.enabled ? mul(cast(finite, 'f32'), input.enabled) : cast(finite, 'f32');
  const corrections = assign(input.corrections, select(notEqual(go, 0), advanced, input.corrections));

  const table = parameterTable({
    rules: names.map((name) => rule(name, layout.segments[name]!.shape)),
    lr: input.lr,
    lastLayerLr: input.lastLayerLr ?? input.lr,
    trunkLr: input.trunkLr,
    weightDecay: input.weightDecay,
    scale,
    groupOf: clipGroups.map((group) => groups.indexOf(group)),
    go,
    enabled: input.enabled,
    momentum: input.teacher?.momentum,
    corrections,
  });
  const updated = layout.windows.map((window, i) => {
    const blocks = constant(blockParameters(layout, window), [window.elements / SEGMENT_ALIGNMENT], 'u32');
    return updateWindow(
      {
        weights: input.weights.windows[i]!,
        m: input.m.windows[i]!,
        v: input.v.windows[i]!,
        teacher: input.teacher?.group.windows[i],
        copy: input.copies?.windows[i],
        teacherCopy: input.teacher?.copies?.windows[i],
        gradients: input.gradients[i]!,
        blocks,
        table,
      },
      { b1, b2, eps, rests: input.trunkLr !== undefined },
    );
  });
  return {
    weights: updated.map(({ weights }) => weights),
    teacher: input.teacher && updated.map(({ teacher }) => teacher!),
    norms: Object.fromEntries(groups.map((group, i) => [group, elementOf(norms, i)])),
    squaredNorms,
    names,
    finite,
  };
}

/** Whatever group the copies are of must be the one that changes: else these would lie beside other tensors. */
function checkCopies(originals: GroupTensors | undefined, copies: GroupTensors | undefined): void {
  const copyOf = copies?.layout.copyOf;
  if (copyOf !== undefined && copyOf !== originals?.name)
    throw new TensorError('argument', `adamW: the copies are of "${copyOf}", not of "${originals?.name}"`);
}

/** Element i of a list, a scalar. */
const elementOf = (x: Tensor, i: number): Tensor =>
  reshape(gatherRows(reshape(x, [x.shape[0]!, 1]), constant([i], [1], 'u32')), []);
