/**
 * One check that every op must pass: kernels against reference, gradient against differences, replay to the bit. Its kernels are compared
 * with its f64 reference, its gradient with finite differences of that reference, and a replay bit for bit with the same kernels run one at
 * a time without sharing memory.
 */
import { type DType, isFloat } from '../base/dtype';
import { type Shape, showShape, sizeOf } from '../base/shape';
import { compile } from '../compile';
import type { Gpu } from '../device/gpu';
import type { Spec, Tensor } from '../graph/op';
import { add, cast, mul } from '../ops/elementwise';
import { sum } from '../ops/reduce';
import { constant, input } from '../ops/sources';
import { grad } from '../passes/grad';
import { type Interpreted, interpret } from '../passes/interpret';
import { checkLength, showIndex, worstOf } from './compare';
import { dirtyWorkgroupMemory } from './dirty-memory';
import { checkDifferences } from './finite-differences';
import { normals } from './normals';

export interface CheckInput {
  readonly shape: Shape;
  readonly dtype?: DType;
  /** Row-major values; default: normal numbers of a fixed seed. */
  readonly values?: ArrayLike<number>;
  /** Differentiate with respect to it (default: floats yes). */
  readonly differentiate?: boolean;
}

export interface CheckOptions {
  /** Largest |gpu - reference| over max(1, max|reference|) (default 1e-5, f32 rounding through a short kernel). */
  readonly tolerance?: number;
  /** The same for gradients (default: `tolerance`). */
  readonly gradientTolerance?: number;
  /** Largest |analytic - finite difference| over max(1, max|gradient|), both in f64 (default 1e-5; central differences at step 1e-5 leave about 1e-9). */
  readonly differenceTolerance?: number;
  /** Check gradients (default true). */
  readonly gradient?: boolean;
  /** Check that a replay equals one op at a time bit for bit (default true). */
  readonly bitwise?: boolean;
  /**
   * Finite differences along at most this many directions of each input (default 16). Each moves its own part of the elements, so all are seen
   * whatever the number; a wrong element among many shows the less, the fewer directions there are.
   */
  readonly directions?: number;
}

/** Worst errors that `checkOp` saw, each relative to max(1, max|reference|). */
export interface CheckResult {
  readonly forward: number;
  readonly gradient: number;
  readonly difference: number;
}

/**
 * Runs the whole check; throws an `Error` that says which output or gradient is wrong, where, and what it is and should be. Kernels for GPUs begin with dirty
 * workgroup memory: what they read there they must have written.
 */
export async function checkOp(
  gpu: Gpu,
  fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[],
  inputs: readonly CheckInput[],
  options: CheckOptions = {},
): Promise<CheckResult> {
  const { tolerance = 1e-5, gradientTolerance = tolerance, bitwise = true } = options;
  if (gpu.target.family === 'gpu') dirtyWorkgroupMemory(gpu);
  const problem = checkProblem(fn, inputs, options);
  const { active } = problem;
  const symbolic = Object.entries(problem.specs).map(([name, { shape, dtype }]) => input(name, shape, dtype));
  const graph = problem.record(symbolic);
  const reference = interpret([...graph.outputs, ...graph.grads, ...(graph.loss ? [graph.loss] : [])], problem.feeds);
  for (const [i, output] of graph.outputs.entries())
    checkLength(`output ${i}`, output.shape, reference.value(output).data);

  const difference = compareGradients(problem, graph, reference, options);
  const replay = await runOnDevice(gpu, problem, graph, false);
  const forward = compareValues('output', graph.outputs, replay.outputs, reference, tolerance);
  const gradient = compareValues('gradient of input', graph.grads, replay.grads, reference, gradientTolerance, active);
  if (bitwise) compareBits(replay, await runOnDevice(gpu, problem, graph, true), graph, active);
  return { forward, gradient, difference };
}

/** Outputs of the op, the loss they make, and its gradients with respect to the active inputs. */
interface Graph {
  readonly outputs: readonly Tensor[];
  readonly loss: Tensor | undefined;
  readonly grads: readonly Tensor[];
}

interface Problem {
  readonly specs: Readonly<Record<string, Spec>>;
  readonly feeds: Readonly<Record<string, Float32Array>>;
  /** Numbers of the inputs that gradients are taken of. */
  readonly active: readonly number[];
  record(inputs: readonly Tensor[]): Graph;
}

function checkProblem(
  fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[],
  inputs: readonly CheckInput[],
  { gradient = true }: CheckOptions,
): Problem {
  const active = inputs.flatMap(({ dtype = 'f32', differentiate = isFloat(dtype) }, i) =>
    differentiate && gradient ? [i] : [],
  );
  return {
    specs: Object.fromEntries(inputs.map(({ shape, dtype = 'f32' }, i) => [`x${i}`, { shape, dtype }])),
    feeds: Object.fromEntries(
      inputs.map(({ values, shape }, i) => [`x${i}`, Float32Array.from(values ?? normals(sizeOf(shape), i + 1))]),
    ),
    active,
    record(tensors) {
      const outputs = [fn(...tensors)].flat() as Tensor[];
      const loss = active.length > 0 ? randomProjection(outputs) : undefined;
      const wrt = active.map((i) => tensors[i]!);
      return { outputs, loss, grads: loss ? grad(loss, wrt) : [] };
    },
  };
}

/** One scalar whose gradient sees every element of every output. */
function randomProjection(outputs: readonly Tensor[]): Tensor | undefined {
  const sums = outputs
    .filter(({ dtype }) => isFloat(dtype))
    .map((out, i) => sum(mul(cast(out, 'f32'), constant(normals(sizeOf(out.shape), 100 + i), out.shape))));
  return sums.length > 0 ? sums.reduce((a, b) => add(a, b)) : undefined;
}

/** Every gradient against finite differences of the loss, over all elements of its input. */
function compareGradients(
  { feeds, active }: Problem,
  { loss, grads }: Graph,
  reference: Interpreted,
  { differenceTolerance = 1e-5, directions = 16 }: CheckOptions,
): number {
  let worst = 0;
  grads.forEach((tensor, i) => {
    const what = `gradient of input ${active[i]!}`;
    const name = `x${active[i]!}`;
    const gradient = reference.value(tensor).data;
    const x = Float64Array.from(feeds[name]!);
    checkLength(what, tensor.shape, gradient);
    const lossAt = (moved: Float64Array): number =>
      interpret([loss!], { ...feeds, [name]: moved }).value(loss!).data[0]!;
    const { error, wrong } = checkDifferences({ loss: lossAt, x, gradient, directions }, differenceTolerance);
    if (wrong)
      throw new Error(
        `${what} ${showShape(tensor.shape)} is wrong at ${showIndex(wrong.at, tensor.shape)}: ${wrong.analytic} by the op's rule, ${wrong.numeric} by finite differences (error ${error}, tolerance ${differenceTolerance})`,
      );
    worst = Math.max(worst, error);
  });
  return worst;
}

/** What the device computed, in the order of the graph's outputs and gradients. */
interface Computed {
  readonly outputs: readonly ArrayLike<number>[];
  readonly grads: readonly ArrayLike<number>[];
}

async function runOnDevice(
  gpu: Gpu,
  { specs, feeds, record }: Problem,
  graph: Graph,
  isolate: boolean,
): Promise<Computed> {
  using step = await compile(
    gpu,
    (_, batch) => {
      const { outputs, grads } = record(Object.keys(specs).map((name) => batch[name]!));
      return { outputs, grads };
    },
    { batch: specs, isolate },
  );
  step.run(feeds);
  const read = (name: 'outputs' | 'grads', tensors: readonly Tensor[]) =>
    Promise.all(tensors.map((_, i) => step.read(`${name}.${i}`)));
  return { outputs: await read('outputs', graph.outputs), grads: await read('grads', graph.grads) };
}

/** The worst error; throws where it is above the tolerance. `numbers` are what the tensors are called by (default: in order). */
function compareValues(
  what: string,
  tensors: readonly Tensor[],
  computed: readonly ArrayLike<number>[],
  reference: Interpreted,
  tolerance: number,
  numbers: readonly number[] = tensors.map((_, i) => i),
): number {
  const errors = tensors.map((tensor, i) => {
    const expected = reference.value(tensor).data;
    const { error, at } = worstOf(computed[i]!, expected);
    if (!(error <= tolerance))
      throw new Error(
        `${what} ${numbers[i]} ${showShape(tensor.shape)} is wrong at ${showIndex(at, tensor.shape)}: ${computed[i]![at]} on the device, ${expected[at]} in the reference (error ${error}, tolerance ${tolerance})`,
      );
    return error;
  });
  return Math.max(0, ...errors);
}

function compareBits(replay: Computed, single: Computed, { outputs, grads }: Graph, active: readonly number[]): void {
  const compare = (what: string, { shape }: Tensor, a: ArrayLike<number>, b: ArrayLike<number>): void => {
    const at = Array.from(a).findIndex((value, i) => !Object.is(value, b[i]));
    if (at >= 0)
      throw new Error(
        `${what} ${showShape(shape)} differs between a replay and one op at a time at ${showIndex(at, shape)}: ${a[at]} and ${b[at]}`,
      );
  };
  outputs.forEach((tensor, i) => {
    compare(`output ${i}`, tensor, replay.outputs[i]!, single.outputs[i]!);
  });
  grads.forEach((tensor, i) => {
    compare(`gradient of input ${active[i]}`, tensor, replay.grads[i]!, single.grads[i]!);
  });
}
