/** What a compiled step takes (its inputs, and its knobs, the scalars that change from step to step) and what it gives. */
import type { Shape, Spec, Step, Tensor } from '@franca/tensor';
import { inputSpecs, type PerInput } from './inputs';
import type { PretrainOptions } from './options';
import type { ScheduledValues } from './schedules';

/** One thing for every knob of a step: its shape, its tensor, its value. */
export type PerKnob<T> = { readonly [name in keyof ScheduledValues]: T } & {
  /** Number of masked patches on this rank; list entries past it are padding. */
  readonly nMasked: T;
  /** With accumulation, 0 or 1: whether a micro-step begins an update, and whether it ends it. */
  readonly firstMicroStep?: T;
  readonly lastMicroStep?: T;
};

/** The signature to compile the step with, beside its state. */
export interface PretrainSignature {
  readonly batch: PerInput<Spec>;
  readonly knobs: PerKnob<Shape>;
}

/**
 * What a step computes; scalars are metrics. They are means over the ranks that share the batch, and the same on all of them. With accumulation only the last
 * micro-step of an update has the gradients of all ranks: in those before, `grad_norm_*` and `finite` are of the gradients that the rank has summed so far.
 */
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
  /** What the loss was multiplied by, with loss scaling. */
  readonly loss_scale?: Tensor;
  /** Mean entropy of the teacher's CLS targets at the finest level over ln K: 1 uniform, 0 one-hot. */
  readonly teacher_entropy: Tensor;
  /** First choice among the prototypes of that level, per teacher CLS token of all ranks [2b R], one rank after the other, its views in order. */
  readonly choices: Tensor;
  /** CLS tokens [2b, D] of this rank's images only: of the teacher, or, where that is a frozen one, of the student. */
  readonly cls: Tensor;
};

/** A compiled pretraining step. */
export type CompiledPretrainStep = Step<PerInput<Spec>, PerKnob<Shape>, PretrainOutputs>;

/** Shapes of inputs and knobs; all knobs are scalars. */
export const pretrainSignature = (options: PretrainOptions): PretrainSignature => ({
  batch: inputSpecs(options),
  knobs: {
    lr: [],
    lastLayerLr: [],
    ...(options.schedule.freezeBackbone > 0 ? { backboneLr: [] } : {}),
    weightDecay: [],
    momentum: [],
    teacherTemp: [],
    nMasked: [],
    ...(options.batch.accumulation > 1 ? { firstMicroStep: [], lastMicroStep: [] } : {}),
  },
});

/** The knobs that say which of an update's micro-steps is run, `micro` counted from 0; none without accumulation. */
export const microStepKnobs = (
  { batch: { accumulation } }: Pick<PretrainOptions, 'batch'>,
  micro: number,
): { readonly firstMicroStep?: number; readonly lastMicroStep?: number } =>
  accumulation > 1 ? { firstMicroStep: Number(micro === 0), lastMicroStep: Number(micro === accumulation - 1) } : {};
