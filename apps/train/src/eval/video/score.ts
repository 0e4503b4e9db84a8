/** J and F of each object of a followed sequence, on the frames that its rule says. */
import { type ObjectTrack, scoreObjects, type VideoScoring } from '@franca/evals';
import { scoredObjects } from '../../image-sets/video-listed';
import type { FollowedSequence } from './follow-set';

/** An object with the names of its scored frames. */
export interface ScoredObject extends ObjectTrack {
  readonly frames: readonly string[];
}

/** Objects that are scored in no frame are absent. */
export async function scoreSequence(
  { sequence, masks }: FollowedSequence,
  scoring: VideoScoring,
): Promise<ScoredObject[]> {
  const scored = scoredObjects(sequence, scoring);
  const tracks = new Map(scored.map(({ id }) => [id, { regions: [] as number[], boundaries: [] as number[] }]));
  for (const frame of sequence.frames.keys()) {
    const objects = scored.filter(({ frames }) => frames.includes(frame)).map(({ id }) => id);
    if (objects.length === 0) continue;
    const { ids: truth } = await sequence.mask(frame);
    for (const { object, region, boundary } of scoreObjects(truth, masks.at(frame), sequence.size, objects)) {
      tracks.get(object)!.regions.push(region);
      tracks.get(object)!.boundaries.push(boundary);
    }
  }
  return scored.map(({ id, frames }) => ({
    sequence: sequence.name,
    object: id,
    frames: frames.map((frame) => sequence.frames[frame]!),
    ...tracks.get(id)!,
  }));
}
