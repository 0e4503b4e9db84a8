/**
 * Label propagation: the mask of a video's first frame is carried through all others by the features alone, without training.
 */
import type { OptionKinds } from '@franca/tensor';
import type { EvalBackend } from '../backend/eval-backend';
import { EvalsError } from '../errors';
import type { PatchFeatures } from '../features';

/** How labels are carried from frame to frame. */
export interface PropagationOptions {
  /** Previous frames that are asked beside the first; default 7. */
  readonly context?: number;
  /** How far from its own place a token looks in every source, in tokens; default 12. */
  readonly radius?: number;
  /** Shape of that neighbourhood; default `square`. */
  readonly neighbourhood?: 'square' | 'circle';
  /** Tokens of all sources together that a token takes its labels from; default 5. */
  readonly topK?: number;
  /** Of the softmax over their cosines; default 0.1. */
  readonly temperature?: number;
}

/** DINO's settings on DAVIS-2017, the defaults. */
export const DINO_PROPAGATION: Required<PropagationOptions> = {
  context: 7,
  radius: 12,
  neighbourhood: 'square',
  topK: 5,
  temperature: 0.1,
};

/** DINOv3's settings. */
export const DINOV3_PROPAGATION: Required<PropagationOptions> = {
  context: 7,
  radius: 12,
  neighbourhood: 'circle',
  topK: 5,
  temperature: 0.2,
};

/** A frame whose labels are known. */
export interface LabelledFrame {
  /** Tokens of one picture. */
  readonly features: PatchFeatures;
  /** `[N, objects + 1]`, background first; objects that come later have a channel of zeros. */
  readonly maps: Float32Array;
}

/** Labels on their way through a video. */
export interface LabelPropagation extends Disposable {
  /** Labels of the next frame, soft `[N, objects + 1]`. */
  next(features: PatchFeatures): Promise<Float32Array>;
  /**
   * Says where objects are that come in the frame that `next` was just called for: `given` `[N, objects + 1]` is one-hot, as `firstFrameMaps` makes it of a mask with
   * nothing but these objects. Tokens of theirs get the given row, the others keep theirs. From then on the frame is a source for good, like the first.
   * @returns the labels of that frame, as they are now
   */
  add(given: Float32Array): Float32Array;
}

/**
 * Begins with the first frame of a video and its mask.
 * @throws EvalsError `features`, `labels` or `options`
 */
export function openLabelPropagation(
  backend: EvalBackend,
  first: LabelledFrame,
  options: PropagationOptions = {},
): LabelPropagation {
  throw new EvalsError('options', `${backend.name} ${first.maps.length} ${options.context}`);
}
