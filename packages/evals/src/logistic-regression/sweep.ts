/** The sweep of the penalty C: each fit starts from the one before and is scored on held-out items; the best is fitted again on all. */
import type { EvalBackend, LinearClassifier } from '../backend/eval-backend';
import { classify } from '../classifier';
import { classTokens, type LabelledFeatures } from '../features';
import { accuracy, type ClassTally, firstChoices, meanPerClassAccuracy, tally, topClasses } from '../metrics/accuracy';
import { type Curvature, turnBack, turnRows } from './curvature';
import { fitLogistic, fittedClassifier, type LogisticFit } from './fit';

/** What a data set reports: the share of items, or the mean of each class's share. */
export type AccuracyMetric = 'top-1' | 'mean-per-class';

/** One C of the sweep. */
export interface SweepPoint {
  readonly c: number;
  /** Accuracy on the held-out part. */
  readonly score: number;
  readonly iterations: number;
  /** Largest component of the objective's gradient, relative to that of the all-zero model. */
  readonly gradient: number;
  readonly converged: boolean;
}

export interface SolverOptions {
  readonly curvature: Curvature;
  readonly tolerance?: number | undefined;
  readonly maxIterations?: number | undefined;
}

export interface Sweep {
  readonly points: readonly SweepPoint[];
  /** The first of the best. */
  readonly best: number;
  /** Parameters of its fit, in the axes of the curvature. */
  readonly start: Float64Array | undefined;
}

export interface SweepOptions {
  readonly cs: readonly number[];
  readonly metric: AccuracyMetric;
  readonly classes: number;
  readonly onFit?: ((done: number, total: number) => void) | undefined;
}

/** Fits every C on `train` and scores it on `held`. */
export async function sweepC(
  backend: EvalBackend,
  { train, held }: { readonly train: LabelledFeatures; readonly held: LabelledFeatures },
  { cs, metric, classes, onFit }: SweepOptions,
  solver: SolverOptions,
): Promise<Sweep> {
  const x = turnRows(solver.curvature, classTokens(train));
  using session = backend.openSoftmaxRegression({ x, labels: train.labels, classes });
  const points: SweepPoint[] = [];
  let best = 0;
  let start: Float64Array | undefined;
  let startOfBest: Float64Array | undefined;
  for (const c of cs) {
    const fit = await fitLogistic(session, [classes, x.cols], { ...solver, c, start });
    const score = metricOf(metric, (await scoreFit(backend, classifierOf(fit, solver.curvature), held)).counts);
    points.push({ c, score, iterations: fit.iterations, gradient: fit.gradient, converged: fit.converged });
    onFit?.(points.length, cs.length);
    start = fit.parameters;
    if (points.length === 1 || score > points[best]!.score) [best, startOfBest] = [points.length - 1, start];
  }
  return { points, best, start: startOfBest };
}

/** The classifier of features as they are. */
export const classifierOf = (fit: LogisticFit, curvature: Curvature): LinearClassifier =>
  fittedClassifier({ ...fit, parameters: turnBack(curvature, fit.parameters, fit.classes) });

/** Predicted classes of a classifier and their tally. */
export async function scoreFit(
  backend: EvalBackend,
  classifier: LinearClassifier,
  set: LabelledFeatures,
): Promise<{ readonly predicted: Int32Array; readonly counts: ClassTally }> {
  const logits = await classify(backend, classifier, classTokens(set));
  const predicted = firstChoices(topClasses(logits, 1), logits.rows);
  return { predicted, counts: tally(predicted, set.labels, classifier.weight.rows) };
}

export function metricOf(metric: AccuracyMetric, counts: ClassTally): number {
  return metric === 'top-1' ? accuracy(counts) : meanPerClassAccuracy(counts);
}

/** What of the fits did not come to their end, in words; none where all did. */
export function unconverged(
  points: readonly SweepPoint[],
  { converged, gradient }: Pick<LogisticFit, 'converged' | 'gradient'>,
): string[] {
  const early = points.filter((point) => !point.converged);
  const worst = Math.max(0, ...early.map((point) => point.gradient)).toExponential(1);
  const notes: string[] = [];
  if (early.length > 0)
    notes.push(
      `${early.length} of ${points.length} fits of the sweep of C did not converge: their gradients are up to ${worst} of that of the zero model`,
    );
  if (!converged)
    notes.push(
      `the final fit did not converge: its gradient is ${gradient.toExponential(1)} of that of the zero model`,
    );
  return notes;
}
