/** Scores of label maps, from counts of (prediction, target) pairs that are pooled over the images of a set. */
import type { OptionKinds } from '@franca/tensor';
import type { EvalBackend } from '../backend/eval-backend';
import { checkBackend, checkOption, checkOptions, EvalsError } from '../errors';
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

export const SCORING: OptionKinds<SegmentationScoring> = {
  classes: 'number',
  ignore: 'number',
  absent: ['zero', 'skip'],
  averageOver: 'numbers',
};

/** The scoring among the options of an evaluation. */
export const scoringOf = ({ classes, ignore, absent, averageOver }: SegmentationScoring): SegmentationScoring => ({
  classes,
  ignore,
  absent,
  averageOver,
});

/**
 * A value that is neither a class nor ignored would be left out without a word: the masks are not what the classes say.
 *
 * @throws EvalsError `labels` where there is one
 */
export function checkMask(mask: ArrayLike<number>, { classes, ignore = 255 }: SegmentationScoring): void {
  for (let pixel = 0; pixel < mask.length; pixel++) {
    const value = mask[pixel]!;
    if (value !== ignore && !(value >= 0 && value < classes))
      throw new EvalsError(
        'labels',
        `a mask has value ${value}, which is neither one of ${classes} classes (0 to ${classes - 1}) nor ignored (${ignore}); ` +
          'number classes from 0',
      );
  }
}

/** @throws EvalsError `options` where the mean is to be taken over what is no class */
export function checkScoring({ classes, averageOver = [] }: SegmentationScoring): void {
  checkOption(Number.isInteger(classes) && classes >= 1, `classes is ${classes}; it must be a positive integer`);
  const odd = averageOver.find((c, at) => !(c >= 0 && c < classes) || averageOver.indexOf(c) !== at);
  checkOption(odd === undefined, `averageOver names ${odd}, which is no class of ${classes} or is there twice`);
}

/** The choices of a scoring, as records show them. */
export function scoringSettings(scoring: SegmentationScoring): Outcome['hyper'] {
  const { classes, ignore = 255, absent = 'zero', averageOver } = scoring;
  const allScored = ignore < classes && averageOver?.length === classes - 1 && !averageOver.includes(ignore);
  return { ignore, absent, averageOver: allScored ? 'all that are scored' : (averageOver ?? 'all') };
}

export interface SegmentationScore {
  readonly miou: number;
  readonly perClass: readonly (number | null)[];
  /** Pixels whose class is right, of those scored. */
  readonly pixelAccuracy: number;
}

/** Counts pooled over images, to be scored at the end. */
export interface PooledCounts {
  /** Gives the counts of these pixels alone. */
  readonly add: (predicted: ArrayLike<number>, target: ArrayLike<number>) => Promise<Float64Array>;
  /** `[predictions, classes]` so far. */
  readonly counts: Float64Array;
}

/**
 * Starts a pooled count of `predictions` predicted labels (default: the classes) against the classes.
 *
 * @throws EvalsError `options`; adding throws `labels` as `checkMask`
 */
export function pooledCounts(backend: EvalBackend, scoring: SegmentationScoring, predictions?: number): PooledCounts {
  checkBackend('pooledCounts', backend);
  checkOptions('pooledCounts', scoring, SCORING);
  checkScoring(scoring);
  const { classes, ignore = 255 } = scoring;
  const rows = predictions ?? classes;
  const counts = new Float64Array(rows * classes);
  return {
    counts,
    add: async (predicted, target) => {
      checkOption(
        predicted.length === target.length,
        `${predicted.length} predicted labels for ${target.length} pixels; each pixel needs one`,
      );
      checkMask(target, scoring);
      const part = await backend.countPairs({ predicted, target, shape: [rows, classes], ignore });
      for (let i = 0; i < part.length; i++) counts[i]! += part[i]!;
      return part;
    },
  };
}

/**
 * Scores counts `[predictions, classes]` whose first rows are the classes; further rows name no class.
 *
 * @throws EvalsError `options` when there are fewer counts than pairs of classes, or no whole rows of them
 */
export function scoreCounts(counts: Float64Array, scoring: SegmentationScoring): SegmentationScore {
  checkOptions('scoreCounts', scoring, SCORING);
  checkScoring(scoring);
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
