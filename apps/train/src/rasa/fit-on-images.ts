/** Fits RASA to the patch tokens of a data set. */

import { type FitOptions, fitRasa, type RasaFit } from '@franca/rasa';
import type { DensePart } from '../eval/part';
import type { FeatureSession } from '../features/session';
import { countProgress } from '../text/count-progress';

export interface RasaOptions {
  /** Default: 9. */
  readonly planes?: number;
  /** Default 5, more where that is under 300 steps. */
  readonly epochs?: number;
  /** Images per step; default: an eighth of the images, at most 128. */
  readonly trainBatch?: number;
  /** Default 0.02. */
  readonly lr?: number;
  /** Default 0.01. */
  readonly minR2?: number;
}

/** Planes for the patches of `train`, from features in the cache. `recipe`: what holds beside the options. */
export async function fitOnImages(
  session: FeatureSession,
  train: DensePart,
  options: RasaOptions,
  recipe: FitOptions = {},
): Promise<RasaFit> {
  const { planes, trainBatch, epochs, lr, minR2 } = options;
  // begun with the first step: what comes before it may be hours of features
  let progress: ReturnType<typeof countProgress> | undefined;
  const fit: FitOptions = {
    ...recipe,
    ...(planes ? { iterations: planes } : {}),
    ...(epochs ? { epochs } : {}),
    ...(trainBatch ? { batchSize: trainBatch } : {}),
    ...(lr ? { lr } : {}),
    ...(minR2 === undefined ? {} : { minR2 }),
    onProgress: ({ stage, stages, step, steps }) => {
      progress ??= countProgress('position heads', { items: 'steps', unit: 'steps' });
      progress.update(stage * steps + step, stages * steps, false);
    },
  };
  try {
    return await fitRasa(session.gpu, train.batches, fit);
  } finally {
    progress?.end();
  }
}
