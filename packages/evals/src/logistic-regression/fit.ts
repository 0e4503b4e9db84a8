/**
 * One multinomial logistic regression with L2 penalty, by L-BFGS. It minimises `1/2 |W|^2 + C * sum_i CE(x_i)`,
 * the bias not penalised. At the optimum the gradient `W + C (P - Y)^T X` is zero; the solver stops when its largest
 * component is below `tolerance` times that of the all-zero model, and the result says how far it came: with separable
 * data and a large C the optimum lies far out.
 */
import type { OptionKinds } from '@franca/tensor';
import type { LinearClassifier, SoftmaxRegressionSession } from '../backend/eval-backend';
import { checkArgument, checkOption, checkOptions } from '../errors';
import { lbfgs } from '../numerics/lbfgs';
import { type Curvature, inverseCurvature } from './curvature';

/** Options of `fitLogistic`. */
export interface FitOptions {
  /** Inverse strength of the penalty. */
  readonly c: number;
  /** Parameters to start from: weights `[C, D]`, then biases `[C]`. Default zeros. */
  readonly start?: Float64Array;
  /** Of the features, which are turned to its axes by `turnRows`: the same optimum in fewer steps. */
  readonly curvature?: Curvature;
  /** Relative gradient at which to stop; default 1e-8, with products in f32 1e-6. */
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

/** What the sums of a session are good to: its values, and its gradient against that of the all-zero model. */
const ACCURACY = { f64: { rounding: 1e-12, tolerance: 1e-8 }, f32: { rounding: 1e-5, tolerance: 1e-6 } } as const;

export async function fitLogistic(
  session: SoftmaxRegressionSession,
  shape: readonly [classes: number, dim: number],
  options: FitOptions,
): Promise<LogisticFit> {
  checkArgument('fitLogistic', 'session', session, 'object');
  checkArgument('fitLogistic', 'the shape [classes, dim]', shape, 'numbers');
  checkOptions('fitLogistic', options, OPTIONS);
  const [classes, dim] = shape;
  const { rounding, tolerance: reachable } = ACCURACY[session.precision];
  const { c, start, curvature, tolerance = reachable, maxIterations = 1000 } = options;
  checkOption(c > 0 && Number.isFinite(c), `C is ${c}; it must be a positive number`);
  const weights = classes * dim;
  // Divided by C, the loss keeps its scale along the sweep and only the penalty changes.
  const objective = async (x: Float64Array, gradient: Float64Array) => {
    let value = await session.evaluate(x, gradient);
    for (let i = 0; i < weights; i++) {
      value += (0.5 * x[i]! ** 2) / c;
      gradient[i]! += x[i]! / c;
    }
    return value;
  };
  const zeroGradient = new Float64Array(weights + classes);
  await objective(new Float64Array(weights + classes), zeroGradient);
  const scale = zeroGradient.reduce((max, value) => Math.max(max, Math.abs(value)), Number.MIN_VALUE);
  const solved = await lbfgs(objective, start ?? new Float64Array(weights + classes), {
    gradientTolerance: tolerance * scale,
    maxIterations,
    rounding,
    ...(curvature && { inverseHessian: inverseCurvature(curvature, classes, c) }),
  });
  return {
    parameters: solved.x,
    classes,
    dim,
    objective: solved.value * c,
    gradient: solved.gradientNorm / scale,
    iterations: solved.iterations,
    converged: solved.stopped === 'gradient',
  };
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
