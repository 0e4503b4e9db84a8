/**
 * Limited-memory BFGS, a quasi-Newton minimiser. It keeps the last `m` pairs of steps `s` and gradient changes `y`
 * instead of a Hessian. The two-loop recursion turns the gradient into a direction; a strong Wolfe line search keeps
 * `s . y > 0`, so the implied Hessian stays positive definite. The recursion starts from the identity, or from what is known of the inverse Hessian, scaled to
 * the last step.
 *
 * Source: Nocedal & Wright, Numerical Optimization, algorithms 7.4 and 7.5.
 */
import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOptions } from '../errors';
import { type LinePoint, strongWolfe } from './strong-wolfe';

/** Returns the value at `x` and writes the gradient. */
export type Objective = (x: Float64Array, gradient: Float64Array) => Promise<number>;

export interface LbfgsOptions {
  /** Stops when no component of the gradient exceeds this. */
  readonly gradientTolerance: number;
  /** Default 1000. */
  readonly maxIterations?: number;
  /** Pairs kept; default 10. */
  readonly memory?: number;
  /** Evaluations per line search; default 50. */
  readonly lineSearchSteps?: number;
  /** Relative rounding of the objective's values: smaller differences say nothing, and slopes alone decide. Default 1e-12, of long sums in f64. */
  readonly rounding?: number;
  /** Multiplies by a symmetric positive definite estimate of the inverse Hessian, up to a factor; default the identity. */
  readonly inverseHessian?: (vector: Float64Array) => Float64Array;
  /** Pairs of an earlier run on this objective, from which this one goes on, and to which it adds. */
  readonly pairs?: LbfgsPair[];
}

const OPTIONS: OptionKinds<LbfgsOptions> = {
  gradientTolerance: 'number',
  maxIterations: 'number',
  memory: 'number',
  lineSearchSteps: 'number',
  rounding: 'number',
  inverseHessian: 'function',
  pairs: 'list',
};

export interface LbfgsResult {
  readonly x: Float64Array;
  readonly value: number;
  /** Largest component of the gradient. */
  readonly gradientNorm: number;
  readonly iterations: number;
  /** `line-search`: no step decreased the value any more, as happens at the limit of rounding. */
  readonly stopped: 'gradient' | 'iterations' | 'line-search';
}

/** A step `s` and the change `y` of the gradient. */
export interface LbfgsPair {
  readonly s: Float64Array;
  readonly y: Float64Array;
  readonly rho: number;
  /** Factor on the estimated inverse Hessian `P` by which it fits this step: `s.y / y.Py`. */
  readonly scale: number;
}
interface Point extends LinePoint {
  readonly x: Float64Array;
  readonly gradient: Float64Array;
}

export async function lbfgs(objective: Objective, start: Float64Array, options: LbfgsOptions): Promise<LbfgsResult> {
  checkArgument('lbfgs', 'objective', objective, 'function');
  checkOptions('lbfgs', options, OPTIONS);
  checkArgument('lbfgs', 'gradientTolerance', options.gradientTolerance, 'number');
  const { gradientTolerance, maxIterations = 1000, memory = 10, lineSearchSteps = 50, rounding = 1e-12 } = options;
  const { inverseHessian, pairs = [] } = options;
  let x: Float64Array = start.slice();
  let gradient: Float64Array = new Float64Array(x.length);
  let value = await objective(x, gradient);
  let iterations = 0;
  const finish = (stopped: LbfgsResult['stopped']): LbfgsResult => ({
    x,
    value,
    gradientNorm: largest(gradient),
    iterations,
    stopped,
  });

  for (; iterations < maxIterations; iterations++) {
    if (largest(gradient) <= gradientTolerance) return finish('gradient');
    const direction = descentDirection(gradient, pairs, inverseHessian);
    const slope = dot(direction, gradient);
    const from = x;
    const alongLine = async (step: number): Promise<Point> => {
      const next = from.map((xi, i) => xi + step * direction[i]!);
      const nextGradient = new Float64Array(next.length);
      const nextValue = await objective(next, nextGradient);
      return { step, value: nextValue, slope: dot(nextGradient, direction), x: next, gradient: nextGradient };
    };
    // Without curvature information the gradient's length says nothing about the step.
    const firstStep = pairs.length === 0 && !inverseHessian ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    const search = { decrease: 1e-4, curvature: 0.9, maxEvaluations: lineSearchSteps, rounding };
    const found = await strongWolfe({ step: 0, value, slope }, firstStep, alongLine, search);
    if (!found) return finish('line-search');
    const s = found.x.map((xi, i) => xi - x[i]!);
    const y = found.gradient.map((gi, i) => gi - gradient[i]!);
    const curvature = dot(s, y);
    if (curvature > 0)
      pairs.push({ s, y, rho: 1 / curvature, scale: curvature / dot(y, inverseHessian ? inverseHessian(y) : y) });
    if (pairs.length > memory) pairs.shift();
    ({ x, value, gradient } = found);
  }
  return finish(largest(gradient) <= gradientTolerance ? 'gradient' : 'iterations');
}

/** `-H g` by the two-loop recursion, `H` starting from the scaled estimate. */
function descentDirection(
  gradient: Float64Array,
  pairs: readonly LbfgsPair[],
  inverseHessian: LbfgsOptions['inverseHessian'],
): Float64Array {
  let q: Float64Array = gradient.map((value) => -value);
  const alphas: number[] = [];
  for (const { s, y, rho } of pairs.toReversed()) {
    const alpha = rho * dot(s, q);
    alphas.unshift(alpha);
    addScaled(q, y, -alpha);
  }
  if (inverseHessian) q = inverseHessian(q);
  const scale = pairs.at(-1)?.scale ?? 1;
  for (let i = 0; i < q.length; i++) q[i]! *= scale;
  pairs.forEach(({ s, y, rho }, i) => {
    addScaled(q, s, alphas[i]! - rho * dot(y, q));
  });
  return q;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(target: Float64Array, source: Float64Array, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += scale * source[i]!;
}

/** Largest magnitude. */
export function largest(values: Float64Array): number {
  let max = 0;
  for (const value of values) max = Math.max(max, Math.abs(value));
  return max;
}
