/**
 * Which image comes next: an endless, seeded sequence of indices that any number of processes can share.
 *
 * Number the draws of a run 0, 1, 2, ...: draw `ordinal` belongs to pass `floor(ordinal / length)`, position
 * `ordinal mod length` of that pass's own random order. So every image comes exactly once per pass, passes follow each
 * other without a gap or a dropped remainder, an ordinal is all that it takes to know its image, and the whole state is one
 * count, whoever drew. (The official sampler starts over from its seed on every resume: its `advance` is never set.)
 *
 * An image that cannot be used has a stand-in that is a function of the ordinal too: attempt `a` takes position
 * `(ordinal + a * stride) mod length` of the same pass. The stride is coprime with the length, so that the attempts visit
 * the whole pass, and about 0.618 of it, so that they leave the neighbourhood: what lies together is often damaged together.
 *
 * A source whose images are cheap only in runs (parquet row groups, shards of a large set) is shuffled in two levels: the
 * order of the runs, then the images inside a window of several runs.
 *
 * A state tells the data it belongs to by their fingerprint, where they have one: in the order of others it would mean other images.
 */

import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkCount, checkOptions, DataError } from '../errors';
import { fingerprintDifference, type SourceFingerprint } from '../images/source-fingerprint';
import { seedKey } from '../random';
import { shuffledOrder } from './shuffle';

export interface SamplerOptions {
  /** Number of images. */
  readonly length: number;
  /** Integer in `[0, 2^53)`. */
  readonly seed: number;
  /** Lengths of the runs to keep together (`ImageSource.runs`). */
  readonly runs?: readonly number[] | undefined;
  /** Images are mixed across as many runs as hold at least this many images. Default 2048. */
  readonly window?: number | undefined;
  /** Which images these are (`ImageSource.fingerprint`); a state of others is refused. */
  readonly data?: SourceFingerprint | undefined;
}

const OPTIONS: OptionKinds<SamplerOptions> = {
  length: 'number',
  seed: 'number',
  runs: 'numbers',
  window: 'number',
  data: 'object',
};

/** Where a sampler stands; small plain JSON. */
export interface SamplerState {
  readonly length: number;
  readonly seed: number;
  /** Draws made so far, of all processes together: the ordinal to go on with. */
  readonly drawn: number;
  /** The images that it counts in, where they have a fingerprint; states of the first versions have none. */
  readonly data?: SourceFingerprint | undefined;
}

/** One draw. */
export interface Draw {
  /** Number of this draw in the sequence: unique in a run, and the natural counter for random streams. */
  readonly ordinal: number;
  /** Passes completed before this draw. */
  readonly pass: number;
  /** Position in the source. */
  readonly index: number;
}

export interface Sampler {
  /**
   * The image of an ordinal, in whatever order they are asked for.
   * @param attempt images tried for it before, less than `length`; default 0
   */
  draw(ordinal: number, attempt?: number): Draw;
  /** The state after the first `drawn` draws; without it, that which the sampler was opened with. */
  state(drawn?: number): SamplerState;
}

const DEFAULT_WINDOW = 2048;

/**
 * Opens a sampler, at its start or where `from` says.
 * @throws DataError `argument` for impossible options, cursor-mismatch when `from` belongs to other data or another seed
 */
export function createSampler(options: SamplerOptions, from?: SamplerState): Sampler {
  checkOptions('createSampler', options, OPTIONS);
  const { length, seed, data } = options;
  checkRanges(length, seed);
  checkRuns(options);
  if (from !== undefined) checkArgument('createSampler', 'from', from, 'object');
  if (from) checkState(options, from);
  const stride = strideOf(length);
  let openPass = -1;
  let indexAt: (position: number) => number = () => 0;

  return {
    draw: (ordinal, attempt = 0) => {
      checkCount('draw', 'ordinal', ordinal, 0);
      checkCount('draw', 'attempt', attempt, 0);
      const pass = Math.floor(ordinal / length);
      if (pass !== openPass) {
        indexAt = orderOfPass(options, pass);
        openPass = pass;
      }
      return { ordinal, pass, index: indexAt(((ordinal % length) + timesModulo(attempt, stride, length)) % length) };
    },
    state: (drawn = from?.drawn ?? 0) => ({ length, seed, drawn, ...(data && { data }) }),
  };
}

/** About 0.618 (the golden ratio less 1) of the length, without a common factor. */
function strideOf(length: number): number {
  let stride = Math.ceil(0.618 * length);
  while (greatestCommonDivisor(stride, length) > 1) stride++;
  return stride;
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/** a * b mod n; the product of two numbers of 32 bits needs 64. */
const timesModulo = (a: number, b: number, n: number): number =>
  a === 0 ? 0 : Number((BigInt(a) * BigInt(b)) % BigInt(n));

function orderOfPass(options: SamplerOptions, pass: number): (position: number) => number {
  const { length, seed, runs, window = DEFAULT_WINDOW } = options;
  // Two streams per pass: one orders the runs, one the images.
  if (!runs || runs.length < 2) return shuffledOrder(length, seed, 2 * pass);
  const starts = startsOf(runs);
  const runAt = shuffledOrder(runs.length, seed, 2 * pass + 1);
  const order = Uint32Array.from(runs, (_, position) => runAt(position));
  const inOrder = startsOf(Array.from(order, (run) => runs[run]!));
  const windows = groupRuns(order, runs, window);
  const windowStarts = Float64Array.from(windows, ({ start }) => start);
  let open = -1;
  let images: (position: number) => number = () => 0;
  return (position) => {
    const index = lastAtMost(windowStarts, position);
    const { start, length: inWindow } = windows[index]!;
    if (index !== open) {
      images = shuffledOrder(inWindow, seed, 2 * (pass + (index + 1) * 2 ** 20));
      open = index;
    }
    const place = start + images(position - start);
    const at = lastAtMost(inOrder, place);
    return starts[order[at]!]! + place - inOrder[at]!;
  };
}

/** Where runs begin that follow each other. */
function startsOf(runs: readonly number[]): Float64Array {
  const starts = new Float64Array(runs.length);
  for (let run = 1; run < runs.length; run++) starts[run] = starts[run - 1]! + runs[run - 1]!;
  return starts;
}

interface Window {
  /** First position of the pass that falls in the window. */
  readonly start: number;
  readonly length: number;
}

function groupRuns(order: Uint32Array, runs: readonly number[], atLeast: number): Window[] {
  const windows: Window[] = [];
  let start = 0;
  let length = 0;
  order.forEach((run, place) => {
    length += runs[run]!;
    if (length < atLeast && place < order.length - 1) return;
    windows.push({ start, length });
    start += length;
    length = 0;
  });
  return windows.filter((window) => window.length > 0);
}

/** The last of ascending numbers that is at most `position`; of equal ones, as of empty runs, the last too. */
function lastAtMost(starts: Float64Array, position: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (starts[middle]! <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}

function checkRuns({ length, runs, window }: SamplerOptions): void {
  const total = runs?.reduce((sum, run) => sum + run, 0) ?? length;
  if (total !== length)
    throw new DataError('argument', `the runs hold ${total} images, there are ${length}; give the length of every run`);
  if (window !== undefined) checkCount('createSampler', 'window', window, 1);
}

function checkRanges(length: number, seed: number): void {
  if (!Number.isInteger(length) || length < 1 || length > 2 ** 32) {
    throw new DataError('argument', `a sampler needs between 1 and 2^32 images, got ${length}`);
  }
  seedKey(seed);
}

function checkState(own: SamplerOptions, from: SamplerState & { readonly world?: number }): void {
  const difference = own.data && from.data && fingerprintDifference(from.data, own.data);
  if (difference)
    throw new DataError(
      'cursor-mismatch',
      `the saved position belongs to other images: ${difference}; start without it`,
    );
  for (const field of ['length', 'seed'] as const) {
    if (own[field] !== from[field]) {
      throw new DataError(
        'cursor-mismatch',
        `the saved position has ${field} ${from[field]}, this run has ${own[field]}: resume with the data and seed ` +
          'it was saved with, or start without it',
      );
    }
  }
  // Positions of the first versions name the processes, and count the draws of one of them.
  if ((from.world ?? 1) !== 1) {
    throw new DataError(
      'cursor-mismatch',
      `the saved position counts the draws of one of ${from.world} processes, as the first versions did; start without it`,
    );
  }
  // Of such data the first versions drew the order over all images.
  if (own.runs && own.data && !from.data) {
    throw new DataError(
      'cursor-mismatch',
      'the saved position counts in an order over all images, of a version that had no windows for so many; start without it',
    );
  }
  if (!Number.isSafeInteger(from.drawn) || from.drawn < 0) {
    throw new DataError('cursor-mismatch', `the saved position says ${from.drawn} draws, which is not a count`);
  }
}
