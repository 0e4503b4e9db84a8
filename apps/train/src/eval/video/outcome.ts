/** The outcomes of one setting on a set. */
import { type Outcome, videoOutcomes } from '@franca/evals';
import type { FeatureSession } from '../../features/session';
import type { VideoSet } from '../../image-sets/video-set';
import { hashNames } from '../evaluated-images';
import type { FollowedSequence } from './follow-set';
import type { ScoredObject, Similarities } from './score';
import type { VideoSetting } from './settings';

/** What one has for nothing: J&F of the masks as they were given, on all frames. */
const STILL = 'J&F of the given masks';

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean over objects of the mean of both over frames. */
const jAndF = (objects: readonly Similarities[]): number =>
  mean(objects.map(({ regions, boundaries }) => (mean(regions) + mean(boundaries)) / 2));

/** J&F of the given masks, as if nothing moved. */
export const unmoved = (objects: readonly ScoredObject[]): number => jAndF(objects.map(({ still }) => still));

/** A set that objects were followed through. */
export interface Followed {
  readonly setting: VideoSetting;
  readonly sequences: readonly FollowedSequence[];
  readonly objects: readonly ScoredObject[];
  readonly wallMs: number;
}

/** None where no object is scored. */
export function outcomesOf(
  { setting, objects, wallMs }: Followed,
  videos: VideoSet,
  { model }: Pick<FeatureSession, 'model'>,
): Outcome[] {
  if (objects.length === 0) return [];
  const { look, asked, differences } = setting;
  const outcomes = videoOutcomes(objects, {
    protocol: look.protocol,
    scoring: videos.scoring,
    label: `${look.shortSide} px`,
    total: videos.sequences.reduce((sum, sequence) => sum + sequence.objects.length, 0),
    propagation: asked,
    differences,
    hyper: { shortSide: look.shortSide, patchSize: look.patchSize, block: model.config.depth - 1 },
    wallMs,
  });
  const of = hashNames(objects.map(({ sequence, object }) => `${sequence} ${object}`));
  const still = { [STILL]: unmoved(objects) };
  return outcomes.map((outcome) => ({
    ...outcome,
    others: outcome.metric === 'J&F' ? { ...outcome.others, ...still } : outcome.others,
    ...(outcome.items && { items: { ...outcome.items, of } }),
    wallMs: wallMs / outcomes.length,
  }));
}
