/**
 * Counter-based random numbers (Philox4x32-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 *
 * A block of four 32-bit words is a pure function of a 128-bit counter and a 64-bit key: ten rounds of two 32x32 -> 64 bit
 * multiplications, xor and a key bump. Nothing is carried from one sample to the next, so the numbers of sample `position`,
 * stream `stream` are the same on any thread, in any order and after any resume: that triple is the whole state.
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const KEY_STEP_0 = 0x9e3779b9;
const KEY_STEP_1 = 0xbb67ae85;
const ROUNDS = 10;

/** Upper 32 bits of the 64-bit product, built from 16-bit halves since a double holds only 53 bits. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0;
}

/**
 * One Philox4x32-10 block.
 * @param counter four 32-bit words
 * @param key two 32-bit words
 * @returns four 32-bit words, unsigned
 */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + KEY_STEP_0) >>> 0;
    k1 = (k1 + KEY_STEP_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

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

/** Opens the stream of `(seed, position, stream)` at its start, or where `drawn` says. */
export function createRandom(from: Omit<RandomState, 'drawn'> & { drawn?: number }): Random {
  const state: RandomState = { ...from, drawn: from.drawn ?? 0 };
  const key = [state.seed >>> 0, Math.floor(state.seed / TWO_32)] as const;
  const positionLow = state.position >>> 0;
  const positionHigh = Math.floor(state.position / TWO_32);
  let block = philox4x32([state.drawn >>> 2, state.stream, positionLow, positionHigh], key);

  const word = (): number => {
    const lane = state.drawn & 3;
    if (lane === 0) block = philox4x32([state.drawn >>> 2, state.stream, positionLow, positionHigh], key);
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

/** A random order of `0..count-1` (Fisher-Yates). */
export function permutation(count: number, random: Random): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
