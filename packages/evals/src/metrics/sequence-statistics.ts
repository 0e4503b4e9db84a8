/**
 * The three numbers that DAVIS takes of an object's J or F over the frames of a sequence: mean, recall (the share of frames above one half)
 * and decay (what the mean of the first quarter has over that of the last).
 *
 * Quarters are cut at the frames round(linspace(1, n, 5)) - 1, halves up, and neighbours share the frame they meet at. A value that is NaN takes no part
 * in means and counts as a miss in recall, as in the official tool.
 */
import { checkArgument } from '../errors';

/** Of one object's values over the scored frames of its sequence. */
export interface SequenceStatistics {
  readonly mean: number;
  readonly recall: number;
  readonly decay: number;
}

const QUARTERS = 4;

/**
 * All three are NaN for no values.
 * @throws EvalsError `argument`
 */
export function sequenceStatistics(values: ArrayLike<number>): SequenceStatistics {
  checkArgument('sequenceStatistics', 'values', values, 'list');
  const all = Array.from(values);
  // what numpy adds before it rounds halves to even
  const cut = (k: number): number => Math.round(1 + (k * (all.length - 1)) / QUARTERS + 1e-10) - 1;
  const quarter = (k: number): number => meanOf(all.slice(cut(k), cut(k + 1) + 1));
  return {
    mean: meanOf(all),
    recall: all.filter((value) => value > 0.5).length / all.length,
    decay: quarter(0) - quarter(QUARTERS - 1),
  };
}

function meanOf(values: readonly number[]): number {
  const there = values.filter((value) => !Number.isNaN(value));
  return there.reduce((sum, value) => sum + value, 0) / there.length;
}
