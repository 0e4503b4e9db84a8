/** Cases that update state: gradients by each party's own way, then AdamW. Loss and parameters after the first step must agree. */
import { adamW } from '@franca/nn';
import { compile, createState, type Gpu, type GroupTensors, type Shape, sizeOf, type Tensor } from '@franca/tensor';
import { ADAMW, jaxAdamW, type OptimizerState, tfjsAdamW } from './adamw';
import { type BenchCase, inputValues, type Runner } from './case';
import type { Jax, JaxArray } from './parties/jax';
import type { Tf, TfTensor } from './parties/tfjs';

/** Where a parameter starts: `around`, give or take `spread`. */
export interface Start {
  readonly shape: Shape;
  readonly around: number;
  readonly spread: number;
}

export interface Gradients<T> {
  readonly loss: T;
  /** By name of the parameter. */
  readonly gradients: Record<string, T>;
}

export interface TrainingCase {
  readonly name: string;
  readonly flops?: number;
  readonly bytes?: number;
  readonly tolerance: number;
  readonly parameters: Readonly<Record<string, Start>>;
  readonly inputs: Readonly<Record<string, Shape>>;
  /** The engine's gradients are given as windows of the gradient group. */
  readonly franca: (
    parameters: GroupTensors,
    inputs: Record<string, Tensor>,
    gradient: GroupTensors,
  ) => { readonly loss: Tensor; readonly gradients: readonly Tensor[] };
  readonly tfjs: (
    tf: Tf,
    parameters: Record<string, TfTensor>,
    inputs: Record<string, TfTensor>,
  ) => Gradients<TfTensor>;
  /** Takes ownership of its inputs. */
  readonly jax: (
    jax: Jax,
    parameters: Record<string, JaxArray>,
    inputs: Record<string, JaxArray>,
  ) => Gradients<JaxArray>;
}

export function trainingCase(definition: TrainingCase): BenchCase {
  const { name, flops, bytes, tolerance } = definition;
  const openJax = (party: Jax) => openJaxTraining(party, definition);
  return {
    name,
    tolerance,
    ...(flops === undefined ? {} : { flops }),
    ...(bytes === undefined ? {} : { bytes }),
    open: {
      franca: (gpu) => openFrancaTraining(gpu, definition),
      'tfjs webgpu': (tf) => openTfjsTraining(tf, definition),
      'jax-js webgpu': openJax,
      'jax-js wasm': openJax,
    },
  };
}

const mapEntries = <A, B>(record: Readonly<Record<string, A>>, map: (value: A, index: number) => B) =>
  Object.fromEntries(Object.entries(record).map(([name, value], i) => [name, map(value, i)]));

const startValues = ({ parameters }: TrainingCase): Record<string, Float32Array<ArrayBuffer>> =>
  mapEntries(parameters, ({ shape, around, spread }, i) =>
    inputValues(shape, 1000 + i).map((value) => around + spread * value),
  );
const batchValues = ({ inputs }: TrainingCase): Record<string, Float32Array<ArrayBuffer>> =>
  mapEntries(inputs, (shape, i) => inputValues(shape, i + 1));

/** State of a peer at the start; `make` puts an array on its device. */
function startState<T>(
  definition: TrainingCase,
  make: (values: Float32Array<ArrayBuffer>, shape: Shape) => T,
): OptimizerState<T> {
  const values = startValues(definition);
  const zeros = () => mapEntries(definition.parameters, ({ shape }) => make(new Float32Array(sizeOf(shape)), shape));
  const zero = () => make(new Float32Array(1), []);
  return {
    weights: Object.fromEntries(
      Object.entries(definition.parameters).map(([name, { shape }]) => [name, make(values[name]!, shape)]),
    ),
    m: zeros(),
    v: zeros(),
    corrections: { m: zero(), v: zero() },
  };
}

/** Loss and all parameters, one after the other. */
async function joined(
  loss: ArrayLike<number>,
  parameters: readonly Promise<ArrayLike<number>>[],
): Promise<ArrayLike<number>> {
  const parts = [loss, ...(await Promise.all(parameters))];
  return parts.flatMap((part) => Array.from(part));
}

async function openFrancaTraining(gpu: Gpu, definition: TrainingCase): Promise<Runner> {
  const { parameters, inputs, franca } = definition;
  const group = mapEntries(parameters, ({ shape }) => ({ shape, dtype: 'f32' as const }));
  const state = createState(gpu, {
    weights: group,
    m: group,
    v: group,
    gradient: group,
    optimizer: { corrections: { shape: [2], dtype: 'f32' } },
  });
  for (const [name, values] of Object.entries(startValues(definition))) state.write('weights', name, values);
  const step = await compile(
    gpu,
    ({ weights, m, v, gradient, optimizer }, batch, { lr, weightDecay }) => {
      const { loss, gradients } = franca(weights, batch, gradient);
      const { corrections } = optimizer.tensors;
      adamW(
        { weights: weights, m: m, v: v, gradients, corrections: corrections, lr, weightDecay },
        { ...ADAMW, rule: () => ({ lrMultiplier: 1, weightDecayMultiplier: 1, isLastLayer: false }) },
      );
      return { loss };
    },
    {
      state,
      batch: mapEntries(inputs, (shape) => ({ shape, dtype: 'f32' as const })),
      knobs: { lr: [], weightDecay: [] },
    },
  );
  let batch: Record<string, Float32Array> = batchValues(definition);
  return {
    run(count) {
      for (let i = 0; i < count; i++) {
        step.run(batch, ADAMW_KNOBS);
        batch = {};
      }
      return step.done();
    },
    output: async () =>
      joined(
        await step.read('loss'),
        Object.keys(parameters).map((name) => state.read('weights', name)),
      ),
    dispose() {
      step.dispose();
      state.dispose();
    },
  };
}
const ADAMW_KNOBS = { lr: ADAMW.lr, weightDecay: ADAMW.weightDecay };

async function openTfjsTraining(tf: Tf, definition: TrainingCase): Promise<Runner> {
  const make = (values: Float32Array, shape: Shape): TfTensor => tf.tensor(values, [...shape]);
  const values = batchValues(definition);
  const batch = Object.fromEntries(
    Object.entries(definition.inputs).map(([name, shape]) => [name, make(values[name]!, shape)]),
  );
  let now: { readonly loss?: TfTensor; readonly state: OptimizerState<TfTensor> } = {
    state: startState(definition, make),
  };
  return {
    run(count) {
      for (let i = 0; i < count; i++) {
        const before = now;
        now = tf.tidy(() => {
          const { loss, gradients } = definition.tfjs(tf, before.state.weights, batch);
          return { loss, state: tfjsAdamW(tf, before.state, gradients) };
        });
        tf.dispose(before);
      }
      return tf.done();
    },
    output: async () =>
      joined(
        await now.loss!.data(),
        Object.values(now.state.weights).map((weight) => weight.data() as Promise<Float32Array>),
      ),
    dispose: () => tf.dispose([now, batch]),
  };
}

async function openJaxTraining(jax: Jax, definition: TrainingCase): Promise<Runner> {
  const { tree } = jax;
  type State = OptimizerState<JaxArray>;
  const batch = Object.fromEntries(
    Object.entries(batchValues(definition)).map(([name, values]) => [
      name,
      jax.array(values, definition.inputs[name]!),
    ]),
  );
  const step = jax.jit((state: State, inputs: Record<string, JaxArray>) => {
    const { loss, gradients } = definition.jax(jax, tree.ref(state.weights), inputs);
    return { loss, state: jaxAdamW(jax, state, gradients) };
  });
  let state = startState(definition, jax.array);
  let loss: JaxArray | undefined;
  return {
    async run(count) {
      for (let i = 0; i < count; i++) {
        loss?.dispose();
        ({ loss, state } = step(state, tree.ref(batch)) as { loss: JaxArray; state: State });
      }
      for (const array of [loss!, ...tree.leaves<JaxArray>(state as never)]) await array.blockUntilReady();
    },
    output: async () =>
      joined(
        (await loss!.ref.data()) as Float32Array,
        Object.values(state.weights).map((weight) => weight.ref.data() as Promise<Float32Array>),
      ),
    dispose() {
      loss?.dispose();
      tree.dispose([state, batch] as never);
      step.dispose();
    },
  };
}
