/**
 * Which image comes next: an endless, seeded sequence of indices, dealt to ranks.
 *
 * Number all draws of all ranks 0, 1, 2, ...: draw `ordinal` belongs to pass `floor(ordinal / length)`, position
 * `ordinal mod length` of that pass's own random order, and rank `r` of `world` takes the ordinals `r, r + world, ...`. So
 * every image comes exactly once per pass over all ranks, passes follow each other without a gap or a dropped remainder,
 * and the whole state is one count. (The official sampler starts over from its seed on every resume: its `advance` is
 * never set.)
 *
 * A source whose images are cheap only in runs (parquet row groups) is shuffled in two levels: the order of the runs, then
 * the images inside a window of several runs.
 */

import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkCount, checkOptions, DataError } from '../errors';
import { seedKey } from '../random';
import { shuffledOrder } from './shuffle';

export interface SamplerOptions {
  /** Number of images. */
  readonly length: number;
  /** Integer in `[0, 2^53)`. */
  readonly seed: number;
  /** This process among `world`. Default 0 of 1. */
  readonly rank?: number;
  readonly world?: number;
  /** Lengths of the runs to keep together (`ImageSource.runs`). */
  readonly runs?: readonly number[] | undefined;
  /** Images are mixed across as many runs as hold at least this many images. Default 2048. */
  readonly window?: number;
}

const OPTIONS: OptionKinds<SamplerOptions> = {
  length: 'number',
  seed: 'number',
  rank: 'number',
  world: 'number',
  runs: 'numbers',
  window: 'number',
};

/** Where a sampler stands; small plain JSON. */
export interface SamplerState {
  readonly length: number;
  readonly seed: number;
  readonly rank: number;
  readonly world: number;
  /** Draws made by this rank so far, images that were skipped included. */
  readonly drawn: number;
}

/** One draw. */
export interface Draw {
  /** Number of this draw in the sequence of all ranks: unique in a run, and the natural counter for random streams. */
  readonly ordinal: number;
  /** Passes completed before this draw. */
  readonly pass: number;
  /** Position in the source. */
  readonly index: number;
}

export interface Sampler {
  /** Draws the next image of this rank. */
  next(): Draw;
  /** State after the draws made so far. */
  state(): SamplerState;
}

const DEFAULT_WINDOW = 2048;

/**
 * Opens a sampler, at its start or where `from` says.
 * @throws DataError bad-argument for impossible options, cursor-mismatch when `from` belongs to other data, seed or ranks
 */
export function createSampler(options: SamplerOptions, from?: SamplerState): Sampler {
  checkOptions('createSampler', options, OPTIONS);
  const { length, seed, rank = 0, world = 1 } = options;
  checkRanges(length, seed, rank, world);
  checkRuns(options);
  if (from !== undefined) checkArgument('createSampler', 'from', from, 'object');
  if (from) checkState({ length, seed, rank, world, drawn: 0 }, from);
  let drawn = from?.drawn ?? 0;
  let openPass = -1;
  let indexAt: (position: number) => number = () => 0;

  return {
    next: () => {
      const ordinal = drawn * world + rank;
      const pass = Math.floor(ordinal / length);
      if (pass !== openPass) {
        indexAt = orderOfPass(options, pass);
        openPass = pass;
      }
      drawn++;
      return { ordinal, pass, index: indexAt(ordinal - pass * length) };
    },
    state: () => ({ length, seed, rank, world, drawn }),
  };
}

function orderOfPass(options: SamplerOptions, pass: number): (position: number) => number {
  const { length, seed, runs, window = DEFAULT_WINDOW } = options;
  // Two streams per pass: one orders the runs, one the images.
  if (!runs || runs.length < 2) return shuffledOrder(length, seed, 2 * pass);
  const starts = new Float64Array(runs.length);
  for (let run = 1; run < runs.length; run++) starts[run] = starts[run - 1]! + runs[run - 1]!;

  const runAt = shuffledOrder(runs.length, seed, 2 * pass + 1);
  const order = Array.from(runs, (_, position) => runAt(position));
  const windows = groupRuns(order, runs, window);
  let open = -1;
  let images: (position: number) => number = () => 0;
  return (position) => {
    const index = lastAtMost(windows, position);
    const current = windows[index]!;
    if (index !== open) {
      images = shuffledOrder(current.length, seed, 2 * (pass + (index + 1) * 2 ** 20));
      open = index;
    }
    let offset = images(position - current.start);
    let run = current.firstRun;
    while (offset >= runs[order[run]!]!) offset -= runs[order[run++]!]!;
    return starts[order[run]!]! + offset;
  };
}

interface Window {
  /** First position of the pass that falls in the window. */
  readonly start: number;
  readonly length: number;
  /** Where its runs begin in the order of runs. */
  readonly firstRun: number;
}

function groupRuns(order: readonly number[], runs: readonly number[], atLeast: number): Window[] {
  const windows: Window[] = [];
  let start = 0;
  let length = 0;
  let firstRun = 0;
  order.forEach((run, place) => {
    length += runs[run]!;
    if (length < atLeast && place < order.length - 1) return;
    windows.push({ start, length, firstRun });
    start += length;
    length = 0;
    firstRun = place + 1;
  });
  return windows.filter((window) => window.length > 0);
}

function lastAtMost(windows: readonly Window[], position: number): number {
  let low = 0;
  let high = windows.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (windows[middle]!.start <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}

function checkRuns({ length, runs, window }: SamplerOptions): void {
  const total = runs?.reduce((sum, run) => sum + run, 0) ?? length;
  if (total !== length)
    throw new DataError(
      'bad-argument',
      `the runs hold ${total} images, there are ${length}; give the length of every run`,
    );
  if (window !== undefined) checkCount('createSampler', 'window', window, 1);
}

function checkRanges(length: number, seed: number, rank: number, world: number): void {
  if (!Number.isInteger(length) || length < 1 || length > 2 ** 32) {
    throw new DataError('bad-argument', `a sampler needs between 1 and 2^32 images, got ${length}`);
  }
  seedKey(seed);
  if (!Number.isInteger(world) || world < 1 || !Number.isInteger(rank) || rank < 0 || rank >= world) {
    throw new DataError('bad-argument', `rank ${rank} of ${world}: the rank must lie in [0, world)`);
  }
}

function checkState(own: SamplerState, from: SamplerState): void {
  for (const field of ['length', 'seed', 'rank', 'world'] as const) {
    if (own[field] !== from[field]) {
      throw new DataError(
        'cursor-mismatch',
        `the saved position has ${field} ${from[field]}, this run has ${own[field]}: resume with the data, seed and ` +
          'number of processes it was saved with, or start without it',
      );
    }
  }
  if (!Number.isSafeInteger(from.drawn) || from.drawn < 0) {
    throw new DataError('cursor-mismatch', `the saved position says ${from.drawn} draws, which is not a count`);
  }
}
