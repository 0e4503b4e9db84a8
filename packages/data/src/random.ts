/**
 * Random streams of samples, by the counter-based generator of `@franca/tensor` (Philox4x32-10).
 *
 * A block of four 32-bit words is a pure function of a 128-bit counter and a 64-bit key. Nothing is carried from one sample
 * to the next, so the numbers of sample `position`, stream `stream` are the same on any thread, in any order and after any
 * resume: that triple is the whole state. (The engine's own `randomStream` has neither position nor state, and its numbers
 * are multiples of 2^-24, exact in f32; here the grid is 2^-32. Both read the same blocks.)
 */

import { philox, seedWords } from '@franca/tensor';
import { checkArgument, checkCount, DataError } from './errors';

/** Where a random stream stands: plain data, so that it can be written down and continued. */
export interface RandomState {
  /** Seed of the run, an integer in `[0, 2^53)`. */
  seed: number;
  /** Position of the sample in the run's endless sequence, an integer in `[0, 2^53)`. */
  position: number;
  /** Which of the sample's streams: for a view, its index among the sample's views. */
  stream: number;
  /** Words drawn so far. */
  drawn: number;
}

/** A random stream. Every method draws one 32-bit word. */
export interface Random {
  readonly state: Readonly<RandomState>;
  /** Uniform in `[low, high)`, on a grid of 2^32 steps. */
  uniform(low?: number, high?: number): number;
  /** Uniform integer in `[0, count)`. The bias is below `count / 2^32`. */
  below(count: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
}

const TWO_32 = 2 ** 32;

/** The key of a seed for `philox`. Throws `DataError` bad-argument unless it is a whole number in `[0, 2^53)`. */
export function seedKey(seed: number): [low: number, high: number] {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new DataError('bad-argument', `seed must be an integer in [0, 2^53), got ${seed}`);
  return seedWords(seed);
}

/** Opens the stream of `(seed, position, stream)` at its start, or where `drawn` says. Throws `DataError` bad-argument for what is no seed. */
export function createRandom(from: Omit<RandomState, 'drawn'> & { drawn?: number }): Random {
  checkArgument('createRandom', 'from', from, 'object');
  checkCount('createRandom', 'position', from.position, 0);
  checkCount('createRandom', 'stream', from.stream, 0);
  const state: RandomState = { ...from, drawn: from.drawn ?? 0 };
  const key = seedKey(state.seed);
  const positionLow = state.position >>> 0;
  const positionHigh = Math.floor(state.position / TWO_32);
  let block = philox([state.drawn >>> 2, state.stream, positionLow, positionHigh], key);

  const word = (): number => {
    const lane = state.drawn & 3;
    if (lane === 0) block = philox([state.drawn >>> 2, state.stream, positionLow, positionHigh], key);
    state.drawn++;
    return block[lane]!;
  };
  const uniform = (low = 0, high = 1): number => low + (high - low) * (word() / TWO_32);
  return {
    state,
    uniform,
    below: (count) => Math.floor((word() / TWO_32) * count),
    chance: (probability) => word() / TWO_32 < probability,
  };
}

/** A random order of `0..count-1` (Fisher-Yates). Throws `DataError` bad-argument for what is no count or stream. */
export function permutation(count: number, random: Random): number[] {
  checkCount('permutation', 'count', count, 0);
  checkArgument('permutation', 'random', random, 'object');
  const order = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
