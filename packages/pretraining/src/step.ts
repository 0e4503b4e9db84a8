/**
 * One pretraining step as a function to compile: teacher and student forward, losses over all levels, gradients, clipping per submodule, AdamW, EMA of the teacher,
 * loss scaling and centres. What changes from step to step comes in as inputs and knobs. Order and constants are those of the official training loop.
 */
import { type HeadConfig, headSpecs } from '@franca/matryoshka-heads';
import {
  adamW,
  type ChunkOptions,
  initialise,
  initialLossScale,
  type ParameterRule,
  type ParameterSpecs,
  parameterRule,
  parametersOf,
  prefixed,
  lossScale as scaleOf,
  updateLossScale,
} from '@franca/nn';
import {
  add,
  assign,
  cast,
  type Gpu,
  type GroupSpec,
  type GroupTensors,
  grad,
  mul,
  notEqual,
  type Seed,
  type Shape,
  type Spec,
  type State,
  type StepFunction,
  select,
  store,
  type Tensor,
} from '@franca/tensor';
import { vitSpecs } from '@franca/vit';
import type { PretrainOptions } from './config/pretrain-options';
import { centerName, type Forward, pretrainForward } from './pretrain-forward';
import { teacherStatistics } from './teacher-statistics';

/** What of a run's options the step depends on; the optional ones default to the official constants. */
export interface PretrainStepOptions
  extends Pick<
    PretrainOptions,
    | 'precision'
    | 'vit'
    | 'remat'
    | 'dropPathRates'
    | 'kept'
    | 'heads'
    | 'losses'
    | 'centering'
    | 'paddingRows'
    | 'layerwiseDecay'
    | 'patchEmbedLrMultiplier'
    | 'lossScaling'
  > {
  readonly batch: Pick<PretrainOptions['batch'], 'perDevice' | 'accumulation'>;
  readonly crops: Pick<PretrainOptions['crops'], 'global_crops_size' | 'local_crops_size' | 'local_crops_number'>;
  readonly masks: Pick<PretrainOptions['masks'], 'bound' | 'grid'>;
  readonly adamW: PretrainOptions['adamW'] & { readonly eps?: number };
  readonly studentTemp?: number;
  readonly centerMomentum?: number;
}

/** Parameters of student and teacher alike. */
const pretrainSpecs = ({ vit, heads }: PretrainStepOptions): ParameterSpecs => ({
  ...prefixed('backbone', vitSpecs(vit)),
  ...prefixed('dino_head', headSpecs(heads.dino)),
  ...(heads.ibot ? prefixed('ibot_head', headSpecs(heads.ibot)) : {}),
});

const f32 = (...shape: number[]): Spec => ({ shape, dtype: 'f32' });
const u32 = (...shape: number[]): Spec => ({ shape, dtype: 'u32' });

/**
 * State of a run: `student`, `teacher`, Adam moments `m` and `v`, `gradient` (and `accumulated` gradients, with accumulation), and `optimizer` with the rest:
 * bias corrections, loss scale, centres. All but the gradients belong into a checkpoint.
 */
export function pretrainGroups(options: PretrainStepOptions): Record<string, GroupSpec> {
  const specs = pretrainSpecs(options);
  return {
    student: specs,
    teacher: specs,
    m: specs,
    v: specs,
    gradient: specs,
    ...(options.batch.accumulation > 1 ? { accumulated: specs } : {}),
    optimizer: {
      corrections: f32(2),
      ...(options.lossScaling ? { loss_scale: f32(2) } : {}),
      ...centerSpecs(options),
    },
  };
}

function centerSpecs({ centering, heads }: PretrainStepOptions): Record<string, Spec> {
  if (centering === 'sinkhorn_knopp') return {};
  const centers = (loss: 'dino' | 'ibot', { levels }: HeadConfig) =>
    levels.map(({ prototypes }, i) => [centerName(loss, i), f32(prototypes)] as const);
  return Object.fromEntries([...centers('dino', heads.dino), ...centers('ibot', heads.ibot ?? heads.dino)]);
}

/** Initial state: the student by the official initialisation, the teacher its copy. */
export async function initialisePretraining(
  gpu: Gpu,
  state: State,
  options: PretrainStepOptions,
  seed: Seed,
): Promise<void> {
  await initialise(gpu, state, 'student', pretrainSpecs(options), seed);
  state.copy('student', 'teacher');
  if (options.lossScaling) state.write('optimizer', 'loss_scale', initialLossScale());
}

export interface PretrainSignature {
  readonly batch: Readonly<Record<string, Spec>>;
  readonly knobs: Readonly<Record<string, Shape>>;
}

/**
 * Inputs: `globalCrops` [2b, 3, S, S] and `localCrops` [L b, 3, s, s], crop by crop; `masks` [2b, N]; `maskIndices` and `masksWeight` [U], padded; and for every
 * block that drops samples `kept.<block>.<attention|ffn>.<global|local>`. Knobs: the schedules and `nMasked`; with accumulation also `firstMicroStep` and
 * `lastMicroStep` (0 or 1).
 */
export function pretrainSignature(options: PretrainStepOptions): PretrainSignature {
  const { crops, masks } = options;
  const b = options.batch.perDevice;
  const locals = crops.local_crops_number * b;
  const N = masks.grid[0] * masks.grid[1];
  const kept = options.dropPathRates.flatMap((rate, block) =>
    rate === 0
      ? []
      : ['attention', 'ffn'].flatMap((branch) => [
          [`kept.${block}.${branch}.global`, u32(options.kept[block]!.global)] as const,
          ...(locals > 0 ? [[`kept.${block}.${branch}.local`, u32(options.kept[block]!.local)] as const] : []),
        ]),
  );
  return {
    batch: {
      globalCrops: f32(2 * b, 3, crops.global_crops_size, crops.global_crops_size),
      ...(locals > 0 ? { localCrops: f32(locals, 3, crops.local_crops_size, crops.local_crops_size) } : {}),
      masks: u32(2 * b, N),
      maskIndices: u32(masks.bound),
      masksWeight: f32(masks.bound),
      ...Object.fromEntries(kept),
    },
    knobs: {
      lr: [],
      lastLayerLr: [],
      weightDecay: [],
      momentum: [],
      teacherTemp: [],
      nMasked: [],
      ...(options.batch.accumulation > 1 ? { firstMicroStep: [], lastMicroStep: [] } : {}),
    },
  };
}

type Named = Readonly<Record<string, Tensor>>;

/** What a step computes; scalars are metrics. */
// biome-ignore lint/style/useConsistentTypeDefinitions: only a type, not an interface, is assignable to a tree with any keys
export type PretrainOutputs = {
  /** What is optimised. */
  readonly loss: Tensor;
  /** The official log's terms, `total_loss` among them. */
  readonly dino_local_crops_loss: Tensor;
  readonly dino_global_crops_loss: Tensor;
  readonly koleo_loss: Tensor;
  readonly ibot_loss: Tensor;
  readonly total_loss: Tensor;
  /** Gradient norms before clipping: `grad_norm_backbone`, ... */
  readonly [norm: `grad_norm_${string}`]: Tensor;
  /** 1 if the step was taken, 0 if gradients were not finite. */
  readonly finite: Tensor;
  /** Mean entropy of the teacher's CLS targets at the finest level over ln K: 1 uniform, 0 one-hot. */
  readonly teacher_entropy: Tensor;
  /** First choice among the prototypes of that level, per teacher CLS token [2b]. */
  readonly choices: Tensor;
  /** CLS tokens of the teacher [2b, D]. */
  readonly cls: Tensor;
};

/** The step of a run, to compile with `pretrainSignature(options)` and a state of `pretrainGroups(options)`. */
export const pretrainStep =
  (
    options: PretrainStepOptions,
    chunks: ChunkOptions = {},
  ): StepFunction<Record<string, Spec>, Record<string, Shape>> =>
  (groups, batch, knobs) =>
    recordPretrainStep(groups, batch, knobs, options, chunks).outputs;

export interface RecordedStep {
  readonly outputs: PretrainOutputs;
  readonly forward: Forward;
  /** Gradients of this micro-step by parameter, not yet clipped (but scaled by the loss scale, if any). */
  readonly gradients: Named;
  /** Squared gradient norm of each parameter [P] and their names. */
  readonly squaredNorms: Tensor;
  readonly names: readonly string[];
}

/** Records a step and returns also what lies inside. */
export function recordPretrainStep(
  groups: Readonly<Record<string, GroupTensors>>,
  batch: Named,
  knobs: Named,
  options: PretrainStepOptions,
  chunks: ChunkOptions,
): RecordedStep {
  const { student, teacher, optimizer } = groups as Record<'student' | 'teacher' | 'optimizer', GroupTensors>;
  const rest = parametersOf(optimizer.tensors);
  const forward = pretrainForward(
    {
      student: parametersOf(student.tensors),
      teacher: parametersOf(teacher.tensors),
      batch,
      teacherTemp: knobs.teacherTemp!,
      nMasked: knobs.nMasked!,
      center: rest,
    },
    options,
    chunks,
  );
  const statistics = teacherStatistics(forward.dino.at(-1)!.targets);

  const scale = options.lossScaling ? scaleOf(rest('loss_scale')) : undefined;
  const share = mul(forward.losses.optimised, 1 / options.batch.accumulation);
  const gradients = grad(scale ? mul(share, scale) : share, student.tensors);
  const { lastMicroStep: enabled } = knobs;
  const { norms, squaredNorms, names, finite } = adamW(
    {
      weights: student,
      m: groups.m!,
      v: groups.v!,
      gradients: gradientWindows(groups, gradients, knobs.firstMicroStep),
      corrections: rest('corrections'),
      lr: knobs.lr!,
      lastLayerLr: knobs.lastLayerLr!,
      weightDecay: knobs.weightDecay!,
      teacher: { group: teacher, momentum: knobs.momentum! },
      ...(scale ? { lossScale: scale } : {}),
      ...(enabled ? { enabled } : {}),
    },
    {
      betas: options.adamW.betas,
      maxNorm: options.adamW.clip,
      ...(options.adamW.eps ? { eps: options.adamW.eps } : {}),
      rule: (name) => rule(name, options),
      clipGroup: (name) => name.split('.')[0]!,
    },
  );
  if (scale) updateLossScale(rest('loss_scale'), finite, enabled ? { enabled } : {});
  for (const [name, next] of Object.entries(forward.nextCenters)) assign(rest(name), next);
  const outputs: PretrainOutputs = {
    loss: forward.losses.optimised,
    ...forward.losses.logged,
    ...Object.fromEntries(Object.entries(norms).map(([group, norm]) => [`grad_norm_${group}`, norm])),
    finite: cast(finite, 'f32'),
    ...(scale ? { loss_scale: scale } : {}),
    teacher_entropy: statistics.entropy,
    choices: statistics.choices,
    cls: cast(forward.teacherCls, 'f32'),
  };
  return { outputs, forward, gradients, squaredNorms, names };
}

/** Official multipliers; prototypes of fixed length learn directions only. */
function rule(
  name: string,
  { layerwiseDecay, patchEmbedLrMultiplier, vit, heads }: PretrainStepOptions,
): ParameterRule {
  const official = parameterRule(name, { layerwiseDecay, patchEmbedLrMultiplier, depth: vit.depth });
  const head = name.startsWith('ibot_head.') ? heads.ibot : heads.dino;
  return name.endsWith('.weight_g') && head?.freezePrototypeNorms ? { ...official, lrMultiplier: 0 } : official;
}

/** Stores the gradients; with accumulation adds them to those of the micro-steps before. */
function gradientWindows(
  groups: Readonly<Record<string, GroupTensors>>,
  gradients: Named,
  first: Tensor | undefined,
): readonly Tensor[] {
  const windows = store(groups.gradient!, gradients);
  if (!first) return windows;
  return groups.accumulated!.windows.map((sum, i) =>
    assign(sum, select(notEqual(first, 0), windows[i]!, add(sum, windows[i]!))),
  );
}
