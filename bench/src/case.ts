/**
 * A benchmark case: the same computation by several parties. Each party makes a runner for it; `pureCase` writes the runners of a plain
 * function of tensors.
 */
import { compile, type Gpu, type Shape, type Spec, sizeOf, type Tensor } from '@franca/tensor';
import type { Jax, JaxArray } from './parties/jax';
import type { Tf, TfTensor } from './parties/tfjs';

export interface Parties {
  readonly franca: Gpu;
  readonly 'tfjs webgpu': Tf;
  readonly 'jax-js webgpu': Jax;
  readonly 'jax-js wasm': Jax;
}
export type PartyName = keyof Parties;

export interface Runner {
  /** Runs `count` times and resolves when the last one is complete. */
  run(count: number): Promise<void>;
  /** Result of the last run. */
  output(): Promise<ArrayLike<number>>;
  dispose(): void;
}

export interface BenchCase {
  readonly name: string;
  /** Multiplications and additions of one run. */
  readonly flops?: number;
  /** Bytes that one run must at least read and write. */
  readonly bytes?: number;
  /** Largest difference between two parties' results over the largest value. */
  readonly tolerance: number;
  readonly open: { readonly [P in PartyName]?: (party: Parties[P]) => Promise<Runner> };
}

/** Numbers in [-1, 1), the same for every party. */
export function inputValues(shape: Shape, seed: number): Float32Array<ArrayBuffer> {
  let state = seed >>> 0;
  return Float32Array.from({ length: sizeOf(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

export interface PureCase<Name extends string> {
  readonly name: string;
  readonly flops?: number;
  readonly bytes?: number;
  readonly tolerance: number;
  readonly inputs: Readonly<Record<Name, Shape>>;
  readonly franca: (inputs: Record<Name, Tensor>) => Tensor;
  readonly tfjs?: (tf: Tf, inputs: Record<Name, TfTensor>) => TfTensor;
  /** Takes ownership of its inputs, as functions of jax-js do. */
  readonly jax?: (jax: Jax, inputs: Record<Name, JaxArray>) => JaxArray;
}

/** A case whose parties compute one tensor from the same inputs. */
export function pureCase<Name extends string>(definition: PureCase<Name>): BenchCase {
  const { name, flops, bytes, tolerance, inputs, franca, tfjs, jax } = definition;
  const names = Object.keys(inputs) as Name[];
  const values = (input: Name) => inputValues(inputs[input], names.indexOf(input) + 1);
  const each = <T>(make: (input: Name) => T): Record<Name, T> =>
    Object.fromEntries(names.map((input) => [input, make(input)])) as Record<Name, T>;
  const openJax =
    jax &&
    ((party: Jax) =>
      openJaxRunner(
        party,
        each((input) => party.array(values(input), inputs[input])),
        jax,
      ));
  return {
    name,
    tolerance,
    ...(flops === undefined ? {} : { flops }),
    ...(bytes === undefined ? {} : { bytes }),
    open: {
      franca: (gpu) =>
        openFranca(
          gpu,
          each((input) => ({ shape: inputs[input], dtype: 'f32' })),
          franca,
          each(values),
        ),
      ...(tfjs && {
        'tfjs webgpu': (tf: Tf) =>
          openTfjs(
            tf,
            each((input) => tf.tensor(values(input), [...inputs[input]])),
            tfjs,
          ),
      }),
      ...(openJax && { 'jax-js webgpu': openJax, 'jax-js wasm': openJax }),
    },
  };
}

async function openFranca<Name extends string>(
  gpu: Gpu,
  batch: Record<Name, Spec>,
  compute: (inputs: Record<Name, Tensor>) => Tensor,
  values: Record<Name, Float32Array>,
): Promise<Runner> {
  const step = await compile(gpu, (_, inputs) => ({ result: compute(inputs) }), { batch });
  step.run(values);
  return {
    run(count) {
      for (let i = 0; i < count; i++) step.run();
      return step.done();
    },
    output: () => step.read('result'),
    dispose: () => step.dispose(),
  };
}

async function openTfjs<Name extends string>(
  tf: Tf,
  inputs: Record<Name, TfTensor>,
  compute: (tf: Tf, inputs: Record<Name, TfTensor>) => TfTensor,
): Promise<Runner> {
  let result: TfTensor | undefined;
  return {
    run(count) {
      for (let i = 0; i < count; i++) {
        result?.dispose();
        result = tf.tidy(() => compute(tf, inputs));
      }
      return tf.done();
    },
    output: () => result!.data(),
    dispose() {
      result?.dispose();
      for (const input of Object.values<TfTensor>(inputs)) input.dispose();
    },
  };
}

async function openJaxRunner<Name extends string>(
  jax: Jax,
  inputs: Record<Name, JaxArray>,
  compute: (jax: Jax, inputs: Record<Name, JaxArray>) => JaxArray,
): Promise<Runner> {
  const names = Object.keys(inputs) as Name[];
  const compiled = jax.jit((...args: JaxArray[]) =>
    compute(jax, Object.fromEntries(names.map((name, i) => [name, args[i]])) as Record<Name, JaxArray>),
  );
  let result: JaxArray | undefined;
  return {
    async run(count) {
      // evaluation is lazy: a result must stay alive until it is awaited
      const results = Array.from({ length: count }, () => compiled(...names.map((name) => inputs[name].ref)));
      for (const array of results) await array.blockUntilReady();
      result?.dispose();
      result = results.pop();
      for (const array of results) array.dispose();
    },
    output: async () => Float32Array.from((await result!.ref.data()) as Float32Array),
    dispose() {
      result?.dispose();
      for (const input of Object.values<JaxArray>(inputs)) input.dispose();
      compiled.dispose();
    },
  };
}
