/**
 * Detection metrics (AUROC, AUPR, FPR) from scores of two groups. A higher score should mean "positive". All treat tied
 * scores as one threshold, since no threshold can separate them.
 *
 * AUROC is the probability that a positive outscores a negative, ties counting half. It equals the area under the ROC
 * curve by the trapezoid rule when tied scores are one point of the curve, which is how it is computed here.
 */
import { checkArgument, checkOption, EvalsError } from '../errors';

/** Scores of both groups. */
export interface Detection {
  readonly positive: ArrayLike<number>;
  readonly negative: ArrayLike<number>;
}

/** True and false positives at every distinct threshold, highest first. */
interface Curve {
  readonly hits: number[];
  readonly alarms: number[];
}

export function auroc(scores: Detection): number {
  const { hits, alarms } = curve(scores);
  let area = 0;
  for (let i = 0; i < hits.length; i++) {
    const before = i === 0 ? 0 : hits[i - 1]!;
    area += (alarms[i]! - (i === 0 ? 0 : alarms[i - 1]!)) * (hits[i]! + before) * 0.5;
  }
  return area / (scores.positive.length * scores.negative.length);
}

/**
 * Area under the precision-recall curve by the trapezoid rule (straight lines between thresholds, as OpenOOD does, not
 * average precision). The curve starts at recall 0, precision 1.
 */
export function aupr(scores: Detection): number {
  const { hits, alarms } = curve(scores);
  const positives = scores.positive.length;
  let area = 0;
  let recall = 0;
  let precision = 1;
  for (let i = 0; i < hits.length; i++) {
    const nextRecall = hits[i]! / positives;
    const nextPrecision = hits[i]! / (hits[i]! + alarms[i]!);
    area += (nextRecall - recall) * (precision + nextPrecision) * 0.5;
    recall = nextRecall;
    precision = nextPrecision;
  }
  return area;
}

/** Share of negatives flagged at the highest threshold that still finds `recall` of the positives. */
export function falsePositiveRate(scores: Detection, recall = 0.95): number {
  checkOption(recall > 0 && recall <= 1, `recall is ${recall}; it must be a share above 0, such as 0.95`);
  const { hits, alarms } = curve(scores);
  const at = hits.findIndex((count) => count / scores.positive.length >= recall);
  return alarms[at]! / scores.negative.length;
}

function curve(scores: Detection): Curve {
  checkArgument('detection', 'scores', scores, 'object');
  const { positive, negative } = scores;
  checkArgument('detection', 'positive', positive, 'list');
  checkArgument('detection', 'negative', negative, 'list');
  if (positive.length === 0 || negative.length === 0) {
    throw new EvalsError(
      'bad-features',
      `detection needs items of both kinds, got ${positive.length} positive and ${negative.length} negative`,
    );
  }
  const p = Float64Array.from(positive).sort().reverse();
  const n = Float64Array.from(negative).sort().reverse();
  if (Number.isNaN(p[0]!) || Number.isNaN(n[0]!)) throw new EvalsError('bad-features', 'a detection score is NaN');
  const hits: number[] = [];
  const alarms: number[] = [];
  let i = 0;
  let j = 0;
  while (i < p.length || j < n.length) {
    const threshold = Math.max(p[i] ?? Number.NEGATIVE_INFINITY, n[j] ?? Number.NEGATIVE_INFINITY);
    while (i < p.length && p[i]! >= threshold) i++;
    while (j < n.length && n[j]! >= threshold) j++;
    hits.push(i);
    alarms.push(j);
  }
  return { hits, alarms };
}
