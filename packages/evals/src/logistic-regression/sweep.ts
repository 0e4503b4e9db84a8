/** The sweep of the penalty C: each fit starts from the one before and is scored on held-out items. */
import type { EvalBackend } from '../backend/eval-backend';
import { classify } from '../classifier';
import { classTokens, type LabelledFeatures } from '../features';
import { accuracy, type ClassTally, firstChoices, meanPerClassAccuracy, tally, topClasses } from '../metrics/accuracy';
import type { Curvature } from './curvature';
import { fitLogistic, fittedClassifier, type LogisticFit } from './fit';

/** What a data set reports: the share of items, or the mean of each class's share. */
export type AccuracyMetric = 'top-1' | 'mean-per-class';

/** One C of the sweep. */
export interface SweepPoint {
  readonly c: number;
  /** Accuracy on the held-out part. */
  readonly score: number;
  readonly iterations: number;
  readonly converged: boolean;
}

export interface SweepOptions {
  readonly cs: readonly number[];
  readonly metric: AccuracyMetric;
  readonly classes: number;
  readonly curvature?: Curvature;
  readonly tolerance?: number;
  readonly maxIterations?: number;
}

/** Fits every C on `train` and scores it on `held`. */
export async function sweepC(
  backend: EvalBackend,
  train: LabelledFeatures,
  held: LabelledFeatures,
  { cs, metric, classes, ...solver }: SweepOptions,
): Promise<SweepPoint[]> {
  const x = classTokens(train);
  using session = backend.openSoftmaxRegression({ x, labels: train.labels, classes });
  const points: SweepPoint[] = [];
  let start: Float64Array | undefined;
  for (const c of cs) {
    const fit = await fitLogistic(session, [classes, x.cols], { ...solver, c, start });
    const score = metricOf(metric, (await scoreFit(backend, fit, held)).counts);
    points.push({ c, score, iterations: fit.iterations, converged: fit.converged });
    start = fit.parameters;
  }
  return points;
}

/** Predicted classes of a fitted model and their tally. */
export async function scoreFit(
  backend: EvalBackend,
  fit: LogisticFit,
  set: LabelledFeatures,
): Promise<{ readonly predicted: Int32Array; readonly counts: ClassTally }> {
  const logits = await classify(backend, fittedClassifier(fit), classTokens(set));
  const predicted = firstChoices(topClasses(logits, 1), logits.rows);
  return { predicted, counts: tally(predicted, set.labels, fit.classes) };
}

export function metricOf(metric: AccuracyMetric, counts: ClassTally): number {
  return metric === 'top-1' ? accuracy(counts) : meanPerClassAccuracy(counts);
}
