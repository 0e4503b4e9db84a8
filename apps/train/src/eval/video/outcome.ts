/** The outcomes of one setting on a set. */
import { type Outcome, videoOutcomes } from '@franca/evals';
import type { FeatureSession } from '../../features/session';
import type { VideoSet } from '../../image-sets/video-set';
import { hashNames } from '../evaluated-images';
import type { FollowedSequence } from './follow-set';
import type { ScoredObject } from './score';
import type { VideoSetting } from './settings';

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
  return outcomes.map((outcome) => ({ ...outcome, ...(outcome.items && { items: { ...outcome.items, of } }) }));
}
