/** Scores of label maps, from counts of (prediction, target) pairs that are pooled over the images of a set. */
import type { EvalBackend } from '../backend/eval-backend';
import { checkOption } from '../errors';
import type { Outcome } from '../outcome';
import { type AbsentClass, meanIou, perClassIou } from './mean-iou';

/** How label maps are scored. */
export interface SegmentationScoring {
  readonly classes: number;
  /** Target label that is not scored; default 255. */
  readonly ignore?: number;
  /** How a class enters the mean that neither occurs nor is predicted; default `zero`, as the published protocols do. */
  readonly absent?: AbsentClass;
  /** The classes that the mean is taken over; default all. */
  readonly averageOver?: readonly number[];
}

/** The choices of a scoring, as records show them. */
export function scoringSettings({ ignore = 255, absent = 'zero', averageOver }: SegmentationScoring): Outcome['hyper'] {
  return { ignore, absent, averageOver: averageOver ?? 'all' };
}

export interface SegmentationScore {
  readonly miou: number;
  readonly perClass: readonly (number | null)[];
  /** Pixels whose class is right, of those scored. */
  readonly pixelAccuracy: number;
}

/** Counts pooled over images, to be scored at the end. */
export interface PooledCounts {
  readonly add: (predicted: ArrayLike<number>, target: ArrayLike<number>) => Promise<void>;
  /** `[predictions, classes]` so far. */
  readonly counts: Float64Array;
}

/** Starts a pooled count of `predictions` predicted labels (default: the classes) against the classes. */
export function pooledCounts(
  backend: EvalBackend,
  { classes, ignore = 255 }: SegmentationScoring,
  predictions: number = classes,
): PooledCounts {
  checkOption(Number.isInteger(classes) && classes >= 1, `classes is ${classes}; it must be a positive integer`);
  const counts = new Float64Array(predictions * classes);
  return {
    counts,
    add: async (predicted, target) => {
      const part = await backend.countPairs({ predicted, target, shape: [predictions, classes], ignore });
      for (let i = 0; i < part.length; i++) counts[i]! += part[i]!;
    },
  };
}

/** Scores counts `[predictions, classes]` whose first rows are the classes; further rows name no class. */
export function scoreCounts(counts: Float64Array, scoring: SegmentationScoring): SegmentationScore {
  const { classes, absent = 'zero', averageOver } = scoring;
  const perClass = perClassIou(counts, classes);
  let right = 0;
  for (let c = 0; c < classes; c++) right += counts[c * classes + c]!;
  const scored = counts.reduce((sum, count) => sum + count, 0);
  return {
    miou: meanIou(perClass, absent, averageOver),
    perClass,
    pixelAccuracy: scored === 0 ? 0 : right / scored,
  };
}
