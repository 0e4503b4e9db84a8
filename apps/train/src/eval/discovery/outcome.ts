/** A score as what a record is made of: everything that the number depends on stands in it. */
import { discoveryOutcome, hitItems, type Outcome, type SelectedOn } from '@franca/evals';
import { hashNames } from '../evaluated-images';
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
  /** Name of a picture of the set. */
  readonly key: (index: number) => string;
}

export function outcomeOf(
  { setting, score, pictures }: Scored,
  { wholePicture, patchSize, rasa, wallMs, selectedOn, key }: CommonFacts,
): Outcome {
  const { method, layer, ...numbers } = setting;
  const hyper = { ...(layer !== undefined && { layer }), ...numbers };
  const outcome = discoveryOutcome(score, {
    protocol: method,
    variant: variantOf(setting),
    total: score.images,
    details: pictures.map(({ found }) => found.detail),
    hyper: { ...hyper, patchSize, ...(rasa && { rasa: method !== 'dino-seg' && setting.feature === 'output' }) },
    wallMs,
  });
  // in the order of their names: that in which pictures were looked at depends on the size of patches
  const named = pictures.map(({ index, hit }) => ({ name: key(index), hit: Number(hit) }));
  named.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  const hits = named.map(({ hit }) => hit);
  const items = {
    ...hitItems(
      hits,
      hits.map(() => 1),
    ),
    of: hashNames(named.map(({ name }) => name)),
  };
  return { ...outcome, items, others: { ...outcome.others, 'box of the whole picture': wholePicture }, selectedOn };
}
