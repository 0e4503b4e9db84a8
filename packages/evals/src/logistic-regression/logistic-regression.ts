/**
 * Logistic regression on frozen class tokens, the protocol of the fine-grained tables. Tokens are not normalised; the
 * penalty C is swept over 45 powers of ten from 1e-6 to 1e5, each fitted on the train part and scored on the validation
 * part; the best (the first on ties) is fitted again on both and evaluated once on the test set. Without a validation
 * split, a tenth of train is held out.
 *
 * Source: the logistic regression evaluation of DINOv2, which Franca uses unchanged (paper Table 3).
 */
import type { OptionKinds } from '@franca/tensor';
import { cpuBackend } from '../backend/cpu';
import type { LinearClassifier } from '../backend/eval-backend';
import { checkSet, LABELLED } from '../check-features';
import { classHitItems, hitItems } from '../compare/item-results';
import { checkOption, checkOptions } from '../errors';
import { checkLabels, classTokens, collect, type LabelledFeatures, takeItems } from '../features';
import { perClassAccuracy } from '../metrics/accuracy';
import { elapsed, type Outcome } from '../outcome';
import { sharedCurvature, turnRows } from './curvature';
import { fitLogistic } from './fit';
import { checkRegressionRoom, OFFICIAL_CS, PENALTY, type PenaltyOptions, penaltyChoice } from './penalty';
import {
  type AccuracyMetric,
  classifierOf,
  metricOf,
  type Sweep,
  type SweepPoint,
  scoreFit,
  sweepC,
  unconverged,
} from './sweep';

/** Options of `logisticRegression`. */
export interface LogisticRegressionOptions extends PenaltyOptions<LabelledFeatures> {
  /** What C is chosen by and what is reported; each data set has its own. Default `top-1`. */
  readonly metric?: AccuracyMetric;
}

const OPTIONS: OptionKinds<LogisticRegressionOptions> = /* @__PURE__ */ Object.assign({}, PENALTY, {
  metric: ['top-1', 'mean-per-class'],
} as const);

export interface LogisticRegressionResult {
  readonly outcome: Outcome;
  readonly sweep: readonly SweepPoint[];
  /** Which fits did not come to their end, in words. */
  readonly notes: readonly string[];
  /** The final model. */
  readonly classifier: LinearClassifier;
  readonly predicted: Int32Array;
}

/** @throws EvalsError `features`, `labels` or `options` */
export async function logisticRegression(
  train: LabelledFeatures,
  test: LabelledFeatures,
  options: LogisticRegressionOptions = {},
): Promise<LogisticRegressionResult> {
  const started = performance.now();
  checkOptions('logisticRegression', options, OPTIONS);
  checkSet('logisticRegression: train', train, LABELLED);
  checkSet('logisticRegression: test', test, LABELLED);
  const { cs = OFFICIAL_CS, metric = 'top-1', validation, backend = cpuBackend } = options;
  const { tolerance, maxIterations, onFit, progress } = options;
  checkOption(cs.length > 0, 'cs is empty; give at least one C');
  const sizes = [train, ...(validation ? [validation] : [])].map(({ labels }) => labels.length);
  checkRegressionRoom(
    'logisticRegression',
    sizes.reduce((sum, count) => sum + count, 0),
    train.dim,
  );
  const all = validation ? await collect('logisticRegression: train and validation', [train, validation]) : train;
  const x = classTokens(all);
  const classes = Math.max(checkLabels(all.labels, x.rows), checkLabels(test.labels, classTokens(test).rows));

  const { fitted, judge, said } = penaltyChoice({ train, test }, options, train.labels.length, takeItems);
  const curvature = await sharedCurvature(backend, x);
  const solver = { tolerance, maxIterations, curvature };
  const sweep: Sweep =
    cs.length === 1
      ? { points: [], best: 0, start: undefined }
      : await sweepC(backend, { train: fitted, held: judge }, { cs, metric, classes, onFit, progress }, solver);
  const { points, best, start } = sweep;

  using session = backend.openSoftmaxRegression({ x: turnRows(curvature, x), labels: all.labels, classes });
  const fit = await fitLogistic(session, [classes, x.cols], { ...solver, c: cs[best]!, start });
  const classifier = classifierOf(fit, curvature);
  const { predicted, counts } = await scoreFit(backend, classifier, test);
  const otherMetric = metric === 'top-1' ? 'mean-per-class' : 'top-1';
  const outcome: Outcome = {
    task: 'logistic-regression',
    protocol: 'dinov2',
    variant: '',
    evaluated: predicted.length,
    total: predicted.length,
    metric,
    value: metricOf(metric, counts),
    unit: 'share',
    others: { [otherMetric]: metricOf(otherMetric, counts) },
    perClass: perClassAccuracy(counts),
    items: (metric === 'top-1' ? hitItems : classHitItems)(predicted, test.labels),
    hyper: {
      c: cs[best]!,
      cs,
      objective: fit.objective,
      gradient: fit.gradient,
      iterations: fit.iterations,
      converged: fit.converged,
      trainItems: x.rows,
      backend: backend.name,
    },
    ...said,
    quirks: false,
    wallMs: elapsed(started),
  };
  await progress?.done();
  return { outcome, sweep: points, notes: unconverged(points, fit), classifier, predicted };
}
