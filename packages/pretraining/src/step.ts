/**
 * One pretraining step as a function to compile. Teacher and student forward, losses over all levels, gradients, clipping per submodule, AdamW, EMA of the teacher,
 * loss scaling and centres. What changes from step to step comes in as inputs and knobs. Order and constants are those of the official training loop.
 *
 * Ranks that share a batch run this step together. Each optimises its share of the mean loss, gradients are summed over the ranks before anything looks at them, so
 * that norms, clipping, the loss scale, and with them student and teacher, are the same bits everywhere.
 */
import {
  type AdamWOutput,
  adamW,
  type ChunkOptions,
  type ParameterRule,
  parameterRule,
  parametersOf,
  lossScale as scaleOf,
  updateLossScale,
} from '@franca/nn';
import {
  add,
  allReduceWindows,
  assign,
  cast,
  grad,
  mul,
  notEqual,
  type Shape,
  type Spec,
  type StateTensors,
  type StepFunction,
  select,
  store,
  type Tensor,
} from '@franca/tensor';
import { type Forward, pretrainForward } from './forward';
import type { PerInput } from './inputs';
import { metricsOfRanks } from './metrics-of-ranks';
import type { PretrainOptions } from './options';
import type { PerKnob, PretrainOutputs } from './signature';
import type { PretrainGroups } from './state';
import { teacherStatistics } from './teacher-statistics';

/** The step of a run, to compile with `pretrainSignature(options)` and a state of `pretrainGroups(options)`; `prototypeChunks` gives `chunks` for an adapter. */
export const pretrainStep =
  (
    options: PretrainOptions,
    chunks: ChunkOptions = {},
  ): StepFunction<PerInput<Spec>, PerKnob<Shape>, PretrainGroups, PretrainOutputs> =>
  (groups, batch, knobs) =>
    recordPretrainStep({ groups, batch, knobs }, options, chunks).outputs;

type Groups = StateTensors<PretrainGroups>;
type Named = Readonly<Record<string, Tensor>>;

/** What a step function is called with. */
export interface StepInput {
  readonly groups: Groups;
  readonly batch: PerInput<Tensor>;
  readonly knobs: PerKnob<Tensor>;
}

export interface RecordedStep {
  readonly outputs: PretrainOutputs;
  readonly forward: Forward;
  /** Gradients of this micro-step by parameter, of this rank, not yet clipped (but scaled by the loss scale, if any). */
  readonly gradients: Named;
  /** Squared gradient norm of each parameter [P] and their names. */
  readonly squaredNorms: Tensor;
  readonly names: readonly string[];
}

/** Records a step and returns also what lies inside. */
export function recordPretrainStep(input: StepInput, options: PretrainOptions, chunks: ChunkOptions): RecordedStep {
  const { groups, batch, knobs } = input;
  const rest = parametersOf(groups.optimizer.tensors);
  const forward = pretrainForward(
    {
      student: parametersOf(groups.student.tensors, groups.student_f16.tensors),
      teacher: options.distillation
        ? parametersOf(groups.frozen_teacher.tensors, groups.frozen_teacher_f16.tensors)
        : parametersOf(groups.teacher.tensors, groups.teacher_f16.tensors),
      batch,
      teacherTemp: knobs.teacherTemp,
      nMasked: knobs.nMasked,
      center: rest,
    },
    options,
    chunks,
  );
  const statistics = teacherStatistics(forward.dino.at(-1)!.targets);

  const scale = options.lossScaling ? scaleOf(rest('loss_scale')) : undefined;
  const share = mul(forward.losses.optimised, 1 / (options.batch.accumulation * options.ranks.size));
  const gradients = grad(scale ? mul(share, scale) : share, groups.student.tensors);
  const { norms, squaredNorms, names, finite } = updateWeights(input, gradients, scale, options);
  for (const [name, next] of Object.entries(forward.nextCenters)) assign(rest(name), next);
  const shown = { loss: forward.losses.optimised, ...forward.losses.logged, teacher_entropy: statistics.entropy };
  const { means, choices } = metricsOfRanks({ means: shown, choices: statistics.choices }, options.ranks.size);
  const { teacher_entropy, ...losses } = means;
  const outputs: PretrainOutputs = {
    ...losses,
    ...Object.fromEntries(Object.entries(norms).map(([group, norm]) => [`grad_norm_${group}`, norm])),
    finite: cast(finite, 'f32'),
    ...(scale ? { loss_scale: scale } : {}),
    teacher_entropy,
    choices,
    cls: cast(forward.cls, 'f32'),
  };
  return { outputs, forward, gradients, squaredNorms, names };
}

/** AdamW on the student, the teacher after it, and the loss scale; nothing but the gradients changes in a micro-step that is not the last of its update. */
function updateWeights(
  { groups, knobs }: StepInput,
  gradients: Named,
  scale: Tensor | undefined,
  options: PretrainOptions,
): AdamWOutput {
  const rest = parametersOf(groups.optimizer.tensors);
  const { betas, eps, clip } = options.adamW;
  const enabled = knobs.lastMicroStep ? { enabled: knobs.lastMicroStep } : {};
  const updated = adamW(
    {
      weights: groups.student,
      m: groups.m,
      v: groups.v,
      gradients: gradientWindows(groups, gradients, knobs, options),
      corrections: rest('corrections'),
      lr: knobs.lr,
      lastLayerLr: knobs.lastLayerLr,
      ...(knobs.backboneLr ? { trunkLr: knobs.backboneLr } : {}),
      weightDecay: knobs.weightDecay,
      teacher: { group: groups.teacher, momentum: knobs.momentum, copies: groups.teacher_f16 },
      copies: groups.student_f16,
      ...(scale ? { lossScale: scale } : {}),
      ...enabled,
    },
    {
      betas,
      eps,
      maxNorm: clip,
      rule: (name) => pretrainRule(name, options),
      clipGroup: (name) => name.split('.')[0]!,
    },
  );
  if (scale) updateLossScale(rest('loss_scale'), updated.finite, enabled);
  return updated;
}

/**
 * How a parameter learns: the official multipliers of learning rate and weight decay; prototypes of fixed length learn directions only. A mask token is no part of the trunk
 * that may be frozen: no feature comes from it.
 */
export function pretrainRule(
  name: string,
  options: Pick<
    PretrainOptions,
    'layerwiseDecay' | 'patchEmbedLrMultiplier' | 'backboneLrMultiplier' | 'vit' | 'freezePrototypeNorms'
  >,
): ParameterRule {
  const official = parameterRule(name, { ...options, depth: options.vit.depth });
  const isBackbone = name.startsWith('backbone.');
  const stays = options.freezePrototypeNorms && name.endsWith('.weight_g');
  return {
    ...official,
    lrMultiplier: stays ? 0 : official.lrMultiplier * (isBackbone ? options.backboneLrMultiplier : 1),
    isTrunk: isBackbone && name !== 'backbone.mask_token',
  };
}

/** Stores the gradients; with accumulation adds them to those of the micro-steps before. Ranks sum them once per update, at its last micro-step. */
function gradientWindows(
  groups: Groups,
  gradients: Named,
  { firstMicroStep: first, lastMicroStep: last }: PerKnob<Tensor>,
  { ranks: { size } }: PretrainOptions,
): readonly Tensor[] {
  const windows = store(groups.gradient, gradients);
  if (!first) return allReduceWindows(windows, { size });
  const sums = groups.accumulated.windows.map((sum, i) =>
    assign(sum, select(notEqual(first, 0), windows[i]!, add(sum, windows[i]!))),
  );
  return allReduceWindows(sums, { size, when: last });
}
