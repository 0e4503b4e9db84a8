/** The result of following objects through videos as outcomes: J&F, J and F, each with its items, one an object. */
import { EvalsError } from '../errors';
import type { Json, Outcome } from '../outcome';
import type { PropagationOptions } from './label-propagation';
import type { VideoScoring } from './score-objects';

/** What was measured of one object of a sequence. */
export interface ObjectTrack {
  readonly sequence: string;
  readonly object: number;
  /** J of the scored frames, in their order; empty where there is none. */
  readonly regions: readonly number[];
  /** F of the same frames. */
  readonly boundaries: readonly number[];
}

/** What outcomes say beside the numbers. */
export interface VideoRun {
  /** Whose way of propagation it is. */
  readonly protocol: 'dino' | 'dinov3';
  readonly scoring: VideoScoring;
  /** What sets these features apart, such as `M`; behind the metric in the outcomes' variants. */
  readonly label?: string;
  /** Objects that there were to evaluate. */
  readonly total: number;
  /** The settings of the propagation, those of the protocol where they are left out. */
  readonly propagation?: PropagationOptions;
  /** What else differs from the protocol, such as `short side 320 in place of 480`, one text each. */
  readonly differences?: readonly string[];
  /** What else the numbers depend on: size, patch size, block, backend. */
  readonly hyper: Readonly<Record<string, Json>>;
  readonly wallMs: number;
}

/**
 * Three outcomes: J&F (the mean of both), J and F.
 * @throws EvalsError `argument`, `labels` where no object was scored, or `options`
 */
export function videoOutcomes(tracks: readonly ObjectTrack[], run: VideoRun): Outcome[] {
  throw new EvalsError('options', `${tracks.length} ${run.total}`);
}
