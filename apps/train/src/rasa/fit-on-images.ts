/** Fits RASA to the patch tokens of a data set. */

import { type FitOptions, fitRasa, type RasaFit } from '@franca/rasa';
import type { DensePart } from '../eval/eval-task';
import { countProgress } from '../features/count-progress';
import type { FeatureSession } from '../features/feature-session';

export interface RasaOptions {
  readonly planes: number;
  readonly epochs: number;
  readonly trainBatch: number;
  readonly lr: number;
  readonly minR2: number;
  /** Heads as the official procedure trains and chains them. */
  readonly official: boolean;
}

/** Planes for the patches of `train`, from features in the cache. */
export async function fitOnImages(session: FeatureSession, train: DensePart, options: RasaOptions): Promise<RasaFit> {
  const progress = countProgress('steps of position heads');
  const { planes, epochs, trainBatch, lr, minR2, official } = options;
  const fit: FitOptions = {
    iterations: planes,
    epochs,
    batchSize: Math.min(trainBatch, train.set.length),
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
