/**
 * One check that every op must pass: its kernels against its f64 reference, its gradient against finite differences of that reference,
 * and a replay bitwise equal to the same kernels run one at a time without sharing memory.
 */
import type { DType } from './base/dtype';
import { type Shape, sizeOf } from './base/shape';
import { compile } from './compile';
import type { Gpu } from './device/gpu';
import type { Spec, Tensor } from './graph/op';
import { add, cast, mul } from './ops/elementwise';
import { sum } from './ops/reduce';
import { constant, input } from './ops/sources';
import { grad } from './passes/grad';
import { interpret } from './passes/interpret';

export { compileKernels, paperAdapters } from './testing/paper-adapters';

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
  /** Finite differences at most at this many elements of each input (default 12). */
  readonly samples?: number;
}

/** Worst errors that `checkOp` saw, each relative to max(1, max|reference|). */
export interface CheckResult {
  readonly forward: number;
  readonly gradient: number;
  readonly difference: number;
}

/** A small deterministic generator of standard normal numbers (Box-Muller over a 32-bit mix). */
export function normals(count: number, seed = 1): Float64Array {
  let state = (seed * 0x9e3779b1) >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
  return Float64Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

/** max|a - b| over max(1, max|b|); infinite if either has a NaN the other lacks. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let scale = 1;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]!));
  for (let i = 0; i < expected.length; i++) {
    const difference = Object.is(actual[i], expected[i]) ? 0 : Math.abs(actual[i]! - expected[i]!);
    worst = Math.max(worst, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }
  return worst / scale;
}

/** Runs the whole check; throws an `Error` that says which part failed and by how much. */
export async function checkOp(
  gpu: Gpu,
  fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[],
  inputs: readonly CheckInput[],
  options: CheckOptions = {},
): Promise<CheckResult> {
  const {
    tolerance = 1e-5,
    gradientTolerance = tolerance,
    differenceTolerance = 1e-5,
    gradient = true,
    bitwise = true,
    samples = 12,
  } = options;
  const names = inputs.map((_, i) => `x${i}`);
  const specs: Record<string, Spec> = Object.fromEntries(
    inputs.map(({ shape, dtype = 'f32' }, i) => [names[i]!, { shape, dtype }]),
  );
  const feeds = Object.fromEntries(
    inputs.map((own, i) => [names[i]!, Float32Array.from(own.values ?? normals(sizeOf(own.shape), i + 1))]),
  );
  const active = inputs.flatMap(({ dtype = 'f32', differentiate = dtype === 'f32' || dtype === 'f16' }, i) =>
    differentiate && gradient ? [i] : [],
  );
  const build = (tensors: Tensor[]) => {
    const results = [fn(...tensors)].flat() as Tensor[];
    if (active.length === 0) return { results, grads: [] as Tensor[], loss: undefined };
    // a random projection of every output makes one scalar whose gradient sees every element
    const loss = results
      .filter((result) => result.dtype === 'f32' || result.dtype === 'f16')
      .map((result, i) => sum(mul(cast(result, 'f32'), constant(normals(sizeOf(result.shape), 100 + i), result.shape))))
      .reduce((a, b) => add(a, b));
    return {
      results,
      loss,
      grads: grad(
        loss,
        active.map((i) => tensors[i]!),
      ),
    };
  };

  const symbolic = names.map((name) => input(name, specs[name]!.shape, specs[name]!.dtype));
  const graph = build(symbolic);
  const reference = interpret([...graph.results, ...graph.grads, ...(graph.loss ? [graph.loss] : [])], feeds);

  const forward = { error: 0 };
  const backward = { error: 0 };
  const run = async (isolate: boolean): Promise<ArrayLike<number>[]> => {
    using step = await compile(
      gpu,
      (_, batch) => {
        const { results, grads } = build(names.map((name) => batch[name]!));
        return { results, grads };
      },
      { batch: specs, isolate },
    );
    step.run(feeds);
    return Promise.all([
      ...graph.results.map((_, i) => step.read(`results.${i}`)),
      ...graph.grads.map((_, i) => step.read(`grads.${i}`)),
    ]);
  };
  const replayed = await run(false);
  graph.results.forEach((tensor, i) => {
    forward.error = Math.max(forward.error, relativeError(replayed[i]!, reference.value(tensor).data));
  });
  graph.grads.forEach((tensor, i) => {
    backward.error = Math.max(
      backward.error,
      relativeError(replayed[graph.results.length + i]!, reference.value(tensor).data),
    );
  });
  if (!(forward.error <= tolerance))
    throw new Error(`forward differs from the reference by ${forward.error}, tolerance ${tolerance}`);
  if (!(backward.error <= gradientTolerance))
    throw new Error(`gradient differs from the reference by ${backward.error}, tolerance ${gradientTolerance}`);
  if (bitwise) {
    const single = await run(true);
    single.forEach((values, i) => {
      const at = Array.from(values).findIndex((value, j) => !Object.is(value, replayed[i]![j]));
      if (at >= 0)
        throw new Error(
          `replay differs from one op at a time in output ${i} at ${at}: ${replayed[i]![at]} and ${values[at]}`,
        );
    });
  }

  let difference = 0;
  active.forEach((which, order) => {
    const analytic = reference.value(graph.grads[order]!).data;
    const scale = analytic.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
    const count = analytic.length;
    const stride = Math.max(1, Math.floor(count / samples));
    for (let j = 0; j < count; j += stride) {
      const at = (step: number): number => {
        const moved = Float64Array.from(feeds[names[which]!]!);
        moved[j]! += step;
        return interpret([graph.loss!], { ...feeds, [names[which]!]: moved }).value(graph.loss!).data[0]!;
      };
      const h = 1e-5;
      difference = Math.max(difference, Math.abs((at(h) - at(-h)) / (2 * h) - analytic[j]!) / scale);
    }
  });
  if (!(difference <= differenceTolerance))
    throw new Error(`gradient differs from finite differences by ${difference}, tolerance ${differenceTolerance}`);
  return { forward: forward.error, gradient: backward.error, difference };
}
