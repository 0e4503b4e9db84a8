/**
 * One multinomial logistic regression with L2 penalty, by L-BFGS. It minimises `1/2 |W|^2 + C * sum_i CE(x_i)`,
 * the bias not penalised. At the optimum the gradient `W + C (P - Y)^T X` is zero; the solver stops when its largest
 * component is below `tolerance` times that of the all-zero model, and the result says how far it came: with separable
 * data and a large C the optimum lies far out.
 */
import type { OptionKinds } from '@franca/tensor';
import type { LinearClassifier, SoftmaxRegressionSession } from '../backend/eval-backend';
import { checkArgument, checkOption, checkOptions } from '../errors';
import { type LbfgsOptions, type LbfgsPair, type LbfgsResult, largest, lbfgs, type Objective } from '../numerics/lbfgs';
import { type Curvature, inverseCurvature } from './curvature';

/** Options of `fitLogistic`. */
export interface FitOptions {
  /** Inverse strength of the penalty. */
  readonly c: number;
  /** Parameters to start from: weights `[C, D]`, then biases `[C]`. Default zeros. */
  readonly start?: Float64Array;
  /** Of the features, which are turned to its axes by `turnRows`: the same optimum in fewer steps. */
  readonly curvature?: Curvature;
  /** Relative gradient at which to stop; default 1e-8. */
  readonly tolerance?: number;
  /** Default 1000. */
  readonly maxIterations?: number;
}

const OPTIONS: OptionKinds<FitOptions> = {
  c: 'number',
  start: true,
  curvature: 'object',
  tolerance: 'number',
  maxIterations: 'number',
};

export interface LogisticFit {
  /** Weights `[classes, dim]`, then biases `[classes]`. */
  readonly parameters: Float64Array;
  readonly classes: number;
  readonly dim: number;
  /** `1/2 |W|^2 + C * sum CE` at the solution. */
  readonly objective: number;
  /** Largest component of the objective's gradient, relative to that of the all-zero model. */
  readonly gradient: number;
  readonly iterations: number;
  readonly converged: boolean;
}

/** Relative rounding of values, in f64 and around a centre. */
const ROUNDING = { exact: 1e-12, centred: 1e-8 } as const;
/** By how much the gradient falls from one centre to the next, of the seven digits that f32 has; and how often. */
const PER_CENTRE = 1e-4;
const MAX_CENTRES = 6;

export async function fitLogistic(
  session: SoftmaxRegressionSession,
  shape: readonly [classes: number, dim: number],
  options: FitOptions,
): Promise<LogisticFit> {
  checkArgument('fitLogistic', 'session', session, 'object');
  checkArgument('fitLogistic', 'the shape [classes, dim]', shape, 'numbers');
  checkOptions('fitLogistic', options, OPTIONS);
  const [classes, dim] = shape;
  const { c, start, curvature, tolerance = 1e-8, maxIterations = 1000 } = options;
  checkOption(c > 0 && Number.isFinite(c), `C is ${c}; it must be a positive number`);
  const weights = classes * dim;
  // Divided by C, the loss keeps its scale along the sweep and only the penalty changes.
  const penalised =
    (evaluate: SoftmaxRegressionSession['evaluate']) => async (x: Float64Array, gradient: Float64Array) => {
      let value = await evaluate(x, gradient);
      for (let i = 0; i < weights; i++) {
        value += (0.5 * x[i]! ** 2) / c;
        gradient[i]! += x[i]! / c;
      }
      return value;
    };
  const objective = penalised(session.evaluate);
  const scale = await zeroGradient(session, weights + classes);
  const gradientTolerance = tolerance * scale;
  // the same objective from centre to centre
  const pairs: LbfgsPair[] = [];
  const solve: Solve = (from, limits) =>
    lbfgs(objective, from, {
      ...limits,
      pairs,
      rounding: session.centre ? ROUNDING.centred : ROUNDING.exact,
      ...(curvature && { inverseHessian: inverseCurvature(curvature, classes, c) }),
    });
  const from = start ?? new Float64Array(weights + classes);
  const limits = { maxIterations, gradientTolerance };
  const solved = session.centre
    ? await solveCentred(penalised(session.centre), solve, from, limits)
    : await solve(from, limits);
  return {
    parameters: solved.x,
    classes,
    dim,
    objective: solved.value * c,
    gradient: solved.gradientNorm / scale,
    iterations: solved.iterations,
    converged: solved.gradientNorm <= gradientTolerance,
  };
}

const zeroGradients = new WeakMap<SoftmaxRegressionSession, number>();

/** Largest component of the gradient of the all-zero model, which is the same for every penalty: once per session. */
async function zeroGradient(session: SoftmaxRegressionSession, count: number): Promise<number> {
  let known = zeroGradients.get(session);
  if (known === undefined) {
    const gradient = new Float64Array(count);
    await (session.centre ?? session.evaluate)(new Float64Array(count), gradient);
    known = largest(gradient) || Number.MIN_VALUE;
    zeroGradients.set(session, known);
  }
  return known;
}

type Limits = Pick<LbfgsOptions, 'gradientTolerance'> & { readonly maxIterations: number };
type Solve = (from: Float64Array, limits: Limits) => Promise<LbfgsResult>;

/** Solves from centre to centre, until the gradient there, which is f64, is small enough, or no longer falls. */
async function solveCentred(
  centre: Objective,
  solve: Solve,
  from: Float64Array,
  { maxIterations, gradientTolerance }: Limits,
): Promise<Omit<LbfgsResult, 'stopped'>> {
  const known = async (x: Float64Array, iterations: number) => {
    const gradient = new Float64Array(x.length);
    const value = await centre(x, gradient);
    return { x, value, gradientNorm: largest(gradient), iterations };
  };
  let best = await known(from, 0);
  for (let i = 0; i < MAX_CENTRES && best.gradientNorm > gradientTolerance; i++) {
    const left = maxIterations - best.iterations;
    if (left <= 0) break;
    const { x, iterations } = await solve(best.x, {
      maxIterations: left,
      gradientTolerance: Math.max(gradientTolerance, PER_CENTRE * best.gradientNorm),
    });
    const next = await known(x, best.iterations + iterations);
    if (next.gradientNorm >= best.gradientNorm) break;
    best = next;
  }
  return best;
}

/** The fitted model as a linear classifier in f32. */
export function fittedClassifier(fit: LogisticFit): LinearClassifier {
  checkArgument('fittedClassifier', 'fit', fit, 'object');
  checkArgument('fittedClassifier', 'fit.parameters', fit.parameters, 'list');
  const { parameters, classes, dim } = fit;
  return {
    weight: { data: Float32Array.from(parameters.subarray(0, classes * dim)), rows: classes, cols: dim },
    bias: Float32Array.from(parameters.subarray(classes * dim)),
  };
}
