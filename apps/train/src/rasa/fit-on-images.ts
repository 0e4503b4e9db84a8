/** Fits RASA to the patch tokens of a data set. */

import { type FitOptions, fitRasa, type RasaFit } from '@franca/rasa';
import type { DensePart } from '../eval/part';
import type { FeatureSession } from '../features/session';
import { countProgress } from '../text/count-progress';

export interface RasaOptions {
  readonly planes: number;
  /** Default 5, more where that is under 300 steps: a head that has not converged stops the search with position left. */
  readonly epochs?: number;
  /** Images per step; default 128, at most a sixteenth of the images. */
  readonly trainBatch?: number;
  readonly lr: number;
  readonly minR2: number;
  /** Heads as the official procedure trains and chains them. */
  readonly official: boolean;
}

/** Rates and limits for own training; the official ones need thousands of images. */
export const RASA_DEFAULTS = { planes: 9, lr: 0.02, minR2: 0.01 } as const;

/** Steps that a head needs to converge from zero at the default rate. */
const MIN_STEPS = 300;

/** Planes for the patches of `train`, from features in the cache. */
export async function fitOnImages(session: FeatureSession, train: DensePart, options: RasaOptions): Promise<RasaFit> {
  const progress = countProgress('position heads', { items: 'steps', unit: 'steps' });
  const { planes, lr, minR2, official } = options;
  const images = train.set.length;
  const batchSize = Math.min(images, options.trainBatch ?? Math.min(128, Math.max(1, Math.floor(images / 16))));
  const epochs = options.epochs ?? Math.max(5, Math.ceil(MIN_STEPS / Math.floor(images / batchSize)));
  const fit: FitOptions = {
    iterations: planes,
    epochs,
    batchSize,
    lr,
    minR2,
    orthogonal: !official,
    init: official ? 'uniform' : 'zero',
    onProgress: ({ stage, step, steps }) => progress.update(stage * steps + step, (planes + 1) * steps, false),
  };
  const result = await fitRasa(session.gpu, () => train.batches, fit);
  progress.end();
  return result;
}
