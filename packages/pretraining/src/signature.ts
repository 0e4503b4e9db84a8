/** What a compiled step takes: its inputs, and its knobs, the scalars that change from step to step. */
import type { Shape, Spec, Step } from '@franca/tensor';
import { inputSpecs, type PerInput } from './inputs';
import type { PretrainOptions } from './options';
import type { ScheduledValues } from './schedules';

/** One thing for every knob of a step: its shape, its tensor, its value. */
export type PerKnob<T> = { readonly [name in keyof ScheduledValues]: T } & {
  /** Number of masked patches; list entries past it are padding. */
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

/** A compiled pretraining step. */
export type CompiledPretrainStep = Step<PerInput<Spec>, PerKnob<Shape>>;

/** Shapes of inputs and knobs; all knobs are scalars. */
export const pretrainSignature = (options: PretrainOptions): PretrainSignature => ({
  batch: inputSpecs(options),
  knobs: {
    lr: [],
    lastLayerLr: [],
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
