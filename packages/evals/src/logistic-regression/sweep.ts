/** The sweep of the penalty C: each fit starts where the two before point to and is scored on held-out items; the best is fitted again on all. */
import type { EvalBackend, LinearClassifier } from '../backend/eval-backend';
import { classify } from '../classifier';
import { checkOption } from '../errors';
import { classTokens, type LabelledFeatures } from '../features';
import { accuracy, type ClassTally, firstChoices, meanPerClassAccuracy, tally, topClasses } from '../metrics/accuracy';
import { loadProgress, type ProgressKeeper, savedArray } from '../progress';
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
  readonly progress?: ProgressKeeper | undefined;
}

/** Fits every C on `train` and scores it on `held`. */
export async function sweepC(
  backend: EvalBackend,
  { train, held }: { readonly train: LabelledFeatures; readonly held: LabelledFeatures },
  { cs, metric, classes, onFit, progress }: SweepOptions,
  solver: SolverOptions,
): Promise<Sweep> {
  const parameters = classes * (train.dim + 1);
  const resumed = await resumedSweep(progress, cs, parameters);
  const { points } = resumed;
  let { before, start, startOfBest } = resumed;
  // turned rows are f64: whoever copies them to a device need not keep them
  using session = backend.openSoftmaxRegression({
    x: turnRows(solver.curvature, classTokens(train)),
    labels: train.labels,
    classes,
  });
  for (const c of cs.slice(points.length)) {
    const fit = await fitLogistic(session, [classes, train.dim], {
      ...solver,
      c,
      start: start && before ? beyond(before, start) : start,
    });
    const score = metricOf(metric, (await scoreFit(backend, classifierOf(fit, solver.curvature), held)).counts);
    points.push({ c, score, iterations: fit.iterations, gradient: fit.gradient, converged: fit.converged });
    onFit?.(points.length, cs.length);
    [before, start] = [start, fit.parameters];
    if (bestOf(points) === points.length - 1) startOfBest = start;
    if (progress?.due())
      await progress.save({
        state: { points: points.map((point) => ({ ...point })) },
        arrays: { before: before ?? start, start, startOfBest: startOfBest! },
      });
  }
  return { points, best: bestOf(points), start: startOfBest };
}

/** As far beyond the second of two solutions as it is from the first: they move evenly along the logarithm of C, in which the official values lie evenly. */
const beyond = (first: Float64Array, second: Float64Array): Float64Array =>
  second.map((value, i) => 2 * value - first[i]!);

/** The first of the best. */
export const bestOf = (points: readonly Pick<SweepPoint, 'score'>[]): number =>
  points.reduce((at, { score }, i) => (score > points[at]!.score ? i : at), 0);

/** How far the fit is from its end that is farthest. */
export const worstGradient = (points: readonly Pick<SweepPoint, 'gradient'>[]): number =>
  points.reduce((worst, { gradient }) => Math.max(worst, gradient), 0);

interface SweepState {
  readonly points: SweepPoint[];
  /** Parameters of the last fit but one, the last, and the best. */
  readonly before: Float64Array | undefined;
  readonly start: Float64Array | undefined;
  readonly startOfBest: Float64Array | undefined;
}

/** Where an earlier run was. @throws EvalsError `options` where what was saved is of another sweep */
async function resumedSweep(
  progress: ProgressKeeper | undefined,
  cs: readonly number[],
  parameters: number,
): Promise<SweepState> {
  const saved = await loadProgress('logisticRegression', progress);
  if (!saved) return { points: [], before: undefined, start: undefined, startOfBest: undefined };
  const { points } = saved.state as unknown as { readonly points: SweepPoint[] };
  const ours = Array.isArray(points) && points.length <= cs.length && points.every(({ c }, i) => c === cs[i]);
  checkOption(ours, 'the saved progress is of other values of C: delete it');
  return {
    points,
    // of the first fit there is none before
    before: points.length > 1 ? savedArray(saved, 'before', Float64Array, parameters) : undefined,
    start: savedArray(saved, 'start', Float64Array, parameters),
    startOfBest: savedArray(saved, 'startOfBest', Float64Array, parameters),
  };
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
  const worst = worstGradient(early).toExponential(1);
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
