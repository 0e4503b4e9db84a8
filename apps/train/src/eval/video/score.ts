/** J and F of each object of a followed sequence, on the frames that its rule says. */
import { type ObjectTrack, scoreObjects, type VideoScoring } from '@franca/evals';
import { scoredObjects } from '../../image-sets/video-listed';
import type { FollowedSequence } from './follow-set';

/** J and F of the scored frames, in their order. */
export type Similarities = Pick<ObjectTrack, 'regions' | 'boundaries'>;

/** An object with the names of its scored frames. */
export interface ScoredObject extends ObjectTrack {
  readonly frames: readonly string[];
  /** Of the mask that it was given in, as if it did not move. */
  readonly still: Similarities;
}

/** Objects that are scored in no frame are absent. */
export async function scoreSequence(
  { sequence, masks }: FollowedSequence,
  scoring: VideoScoring,
): Promise<ScoredObject[]> {
  const { size } = sequence;
  const scored = scoredObjects(sequence, scoring).map((object) => ({ ...object, found: empty(), still: empty() }));
  // objects that come later are drawn over the others, as where they are given
  const still = masks.at(0);
  for (const frame of sequence.frames.keys()) {
    const ids = masks.at(frame);
    const coming = new Set(sequence.objects.filter(({ first }) => first === frame).map(({ id }) => id));
    for (let pixel = 0; coming.size > 0 && pixel < ids.length; pixel++)
      if (coming.has(ids[pixel]!)) still[pixel] = ids[pixel]!;
    const own = scored.filter(({ frames }) => frames.includes(frame));
    if (own.length === 0) continue;
    const objects = own.map(({ id }) => id);
    const { ids: truth } = await sequence.mask(frame);
    const found = scoreObjects(truth, ids, size, objects);
    const unmoved = scoreObjects(truth, still, size, objects);
    for (const [i, object] of own.entries()) {
      add(object.found, found[i]!);
      add(object.still, unmoved[i]!);
    }
  }
  return scored.map(({ id, frames, found, still }) => ({
    sequence: sequence.name,
    object: id,
    frames: frames.map((frame) => sequence.frames[frame]!),
    ...found,
    still,
  }));
}

interface Growing {
  readonly regions: number[];
  readonly boundaries: number[];
}

const empty = (): Growing => ({ regions: [], boundaries: [] });

function add({ regions, boundaries }: Growing, score: { readonly region: number; readonly boundary: number }): void {
  regions.push(score.region);
  boundaries.push(score.boundary);
}
