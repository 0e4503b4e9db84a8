/** A score as what a record is made of: everything that the number depends on stands in it. */
import { discoveryOutcome, type Outcome, type SelectedOn } from '@franca/evals';
import type { Scored } from './score';
import { variantOf } from './settings';

/** What the settings of a run have in common. */
export interface CommonFacts {
  /** CorLoc of the boxes of whole pictures. */
  readonly wholePicture: number;
  readonly patchSize: number;
  /** Whether the weights come with RASA, which changes the output alone. */
  readonly rasa: boolean;
  readonly wallMs: number;
  readonly selectedOn: SelectedOn;
}

export function outcomeOf(
  { setting, score, pictures }: Scored,
  { wholePicture, patchSize, rasa, wallMs, selectedOn }: CommonFacts,
): Outcome {
  const { method, ...hyper } = setting;
  const outcome = discoveryOutcome(score, {
    protocol: method,
    variant: variantOf(setting),
    total: score.images,
    details: pictures.map(({ found }) => found.detail),
    hyper: { ...hyper, patchSize, ...(rasa && { rasa: method !== 'dino-seg' && setting.feature === 'output' }) },
    wallMs,
  });
  return { ...outcome, others: { ...outcome.others, 'box of the whole picture': wholePicture }, selectedOn };
}
