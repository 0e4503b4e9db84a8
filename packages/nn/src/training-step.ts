/**
 * A whole training step from parameters and a loss: state for weights and optimizer, initial values, gradients, update, all in one compiled step. It is
 * nothing but the parts of this package put together; who needs another arrangement (two networks, a teacher, accumulation) writes these lines himself.
 */
import {
  type BatchSpec,
  compile,
  createState,
  type Gpu,
  type GroupSpec,
  type GroupTensors,
  grad,
  type KnobSpec,
  literal,
  type Seed,
  type Spec,
  type State,
  type StateSpec,
  type Step,
  type StepFunction,
  spec,
  store,
  type Tensor,
  TensorError,
} from '@franca/tensor';
import { type AdamWOptions, adamW } from './adamw';
import { checkOptions } from './check-options';
import { initialise } from './initialise';
import { type ParameterSpecs, type Parameters, parametersOf } from './parameters';
import { type SgdOptions, sgd } from './sgd';

/** AdamW, or SGD with momentum. */
export type OptimizerOptions =
  | (AdamWOptions & {
      readonly kind: 'adamw';
      /** Of matrices, unless `rule` says otherwise (default 0.05). */
      readonly weightDecay?: number;
    })
  | (SgdOptions & { readonly kind: 'sgd' });

export interface TrainingOptions<B extends BatchSpec, K extends KnobSpec> {
  /** Inputs of the loss. */
  readonly batch: B;
  /** Knobs of the loss, beside the learning rate `lr`, which is one always. */
  readonly knobs?: K;
  /** Default: `{ kind: 'adamw' }`. */
  readonly optimizer?: OptimizerOptions;
  /** Of the initial values (default 0). */
  readonly seed?: Seed;
}

interface LearningRate {
  readonly lr: readonly [];
}

/** What the loss function returns: the loss, a scalar, and whatever else is to be read or logged. */
export type WithLoss = { readonly loss: Tensor } & { readonly [output: string]: Tensor };

/** A compiled training step: `run(batch, { lr })`, `latest()`, `read(path)`, ... */
export interface Training<P extends ParameterSpecs, B extends BatchSpec, K extends KnobSpec, O extends WithLoss>
  extends Step<B, K & LearningRate, O> {
  /** Weights in the group `weights`, for steps of one's own, and what the optimizer keeps: all that `stateEntries` saves. */
  readonly state: State<{ readonly weights: P }>;
}

/** Groups of state that AdamW needs beside the weights. */
export interface OptimizerState<P extends GroupSpec> {
  readonly gradient: P;
  readonly m: P;
  readonly v: P;
  readonly optimizer: { readonly corrections: Spec };
}

/** Groups of state that `adamW` needs beside the weights: `createState(gpu, { weights: specs, ...optimizerState(specs) })`. */
export function optimizerState<P extends GroupSpec>(parameters: P): OptimizerState<P> {
  return { gradient: parameters, m: parameters, v: parameters, optimizer: { corrections: spec([2]) } };
}

const OPTIONS: Record<keyof TrainingOptions<BatchSpec, KnobSpec>, true> = {
  batch: true,
  knobs: true,
  optimizer: true,
  seed: true,
};

/**
 * Compiles a training step for `parameters`, which get their initial values; `loss` records the forward pass. Throws `TensorError` as `compile` does, and
 * `argument` for a loss that is none.
 */
export async function trainingStep<
  P extends ParameterSpecs,
  O extends WithLoss,
  B extends BatchSpec,
  K extends KnobSpec = Record<never, never>,
>(
  gpu: Gpu,
  parameters: P,
  loss: (
    parameters: Parameters,
    batch: { readonly [name in keyof B]: Tensor },
    knobs: { readonly [name in keyof K]: Tensor },
  ) => O,
  options: TrainingOptions<B, K>,
): Promise<Training<P, B, K, O>> {
  checkOptions('trainingStep', options ?? {}, OPTIONS, ['batch']);
  const { batch, knobs, optimizer = { kind: 'adamw' }, seed = 0 } = options;
  const groups = optimizer.kind === 'sgd' ? { gradient: parameters, velocity: parameters } : optimizerState(parameters);
  const state = createState(gpu, { weights: parameters, ...groups });
  try {
    await initialise(gpu, state, 'weights', parameters, seed);
    const training: StepFunction<B, K & LearningRate, StateSpec, O> = (tensors, inputs, values) => {
      const weights = tensors.weights!;
      const outputs = loss(parametersOf(weights.tensors), inputs, values);
      if (!outputs?.loss)
        throw new TensorError('argument', 'trainingStep: the loss function must return { loss, ... }');
      const gradients = store(tensors.gradient!, grad(outputs.loss, weights.tensors));
      update(optimizer, tensors, gradients, values.lr);
      return outputs;
    };
    const step = await compile(gpu, training, {
      state,
      batch,
      knobs: Object.assign({ lr: [] as const }, knobs ?? ({} as K)),
    });
    const dispose = (): void => {
      step.dispose();
      state.dispose();
    };
    return { ...step, state, dispose, [Symbol.dispose]: dispose };
  } catch (error) {
    state.dispose();
    throw error;
  }
}

function update(
  optimizer: OptimizerOptions,
  { weights, velocity, m, v, optimizer: rest }: Readonly<Record<string, GroupTensors>>,
  gradients: readonly Tensor[],
  lr: Tensor,
): void {
  if (optimizer.kind === 'sgd') {
    const { kind, ...options } = optimizer;
    sgd({ weights: weights!, velocity: velocity!, gradients, lr }, options);
    return;
  }
  const { kind, weightDecay = 0.05, ...options } = optimizer;
  if (kind !== 'adamw')
    throw new TensorError(
      'argument',
      `trainingStep: there is no optimizer of kind ${JSON.stringify(kind)}; kinds are adamw, sgd`,
    );
  const corrections = rest!.tensors.corrections!;
  adamW({ weights: weights!, m: m!, v: v!, gradients, corrections, lr, weightDecay: literal(weightDecay) }, options);
}
