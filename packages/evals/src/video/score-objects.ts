/**
 * How well the objects of a frame are found, and on which frames that is asked. DAVIS scores an object on all frames but the first, whose mask is given, and the
 * last. YouTube-VOS annotates every fifth frame, and objects may come later: it scores an object on the annotated frames after that of its first mask.
 *
 * Pixels of value 255 are background in the truth, as in the semi-supervised part of the tool for DAVIS-2017; an object that is missing from a prediction has an
 * empty mask there.
 */
import { checkArgument } from '../errors';
import { boundaryAccuracy, regionSimilarity } from '../metrics/mask-similarity';
import type { Extent } from '../numerics/bilinear';

/** J and F of one object in one frame. */
export interface ObjectScore {
  readonly object: number;
  /** J. */
  readonly region: number;
  /** F. */
  readonly boundary: number;
}

/** Whose rule says on which frames an object is scored. */
export type VideoScoring = 'davis-2017' | 'youtube-vos';

/** Which frames of a sequence have masks. */
export interface AnnotatedFrames {
  /** Frames of the sequence. */
  readonly frames: number;
  /** The frame of the object's first mask. */
  readonly first: number;
  /** Numbers of all frames with a mask, ascending. */
  readonly annotated: readonly number[];
}

/**
 * The frames that an object is scored on, ascending.
 * @throws EvalsError `argument` or `options`
 */
export function scoredFrames(scoring: VideoScoring, of: AnnotatedFrames): number[] {
  checkArgument('scoredFrames', 'of', of, 'object');
  const { frames, first, annotated } = of;
  checkArgument('scoredFrames', 'scoring', scoring, ['davis-2017', 'youtube-vos']);
  checkArgument('scoredFrames', 'annotated', annotated, 'numbers');
  const end = scoring === 'davis-2017' ? frames - 1 : frames;
  return annotated.filter((frame) => frame > first && frame < end);
}

/**
 * Scores one frame.
 *
 * @param truth id of the object at each pixel of `size`, rows then columns, and `predicted` alike
 * @param objects ids of those that are scored
 * @throws EvalsError `argument`, or `labels` for masks of another size
 */
export function scoreObjects(
  truth: Uint8Array,
  predicted: Uint8Array,
  size: Extent,
  objects: readonly number[],
): ObjectScore[] {
  checkArgument('scoreObjects', 'truth', truth, 'Uint8Array');
  checkArgument('scoreObjects', 'predicted', predicted, 'Uint8Array');
  checkArgument('scoreObjects', 'objects', objects, 'numbers');
  return objects.map((object) => {
    const masks = [maskOf(truth, object), maskOf(predicted, object)] as const;
    return { object, region: regionSimilarity(...masks), boundary: boundaryAccuracy(...masks, size) };
  });
}

function maskOf(ids: Uint8Array, object: number): Uint8Array {
  const mask = new Uint8Array(ids.length);
  for (let i = 0; i < ids.length; i++) if (ids[i] === object) mask[i] = 1;
  return mask;
}
