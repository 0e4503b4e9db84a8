/**
 * Seeded draws (xoroshiro128+) of evaluations. They are the same on every machine, but not those of numpy or torch for
 * the same seed: where another program's draw matters, pass its index list instead.
 *
 * Training draws from Philox instead, whose numbers are addressed by position so that a run resumes; evaluations start
 * from the beginning, and the numbers that are on record came from this stream.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import { checkOption } from '../errors';

/** Draws from one seed. */
export interface Random {
  /** Uniform in `[0, 1)`. */
  readonly uniform: () => number;
  /** Uniform integer in `0..limit - 1`. */
  readonly integer: (limit: number) => number;
  /** Standard normal (Box-Muller). */
  readonly normal: () => number;
  /** Another stream that goes on from here. */
  readonly fork: () => Random;
}

/** Opens the stream of a seed, a whole number in 0 .. 2^53 - 1. Throws `EvalsError` `options` for anything else. */
export const random = (seed: number): Random => drawsOf(open(seed));

function drawsOf(generator: ReturnType<typeof open>): Random {
  const uniform = () => uniformFloat64(generator);
  return {
    uniform,
    integer: (limit) => uniformInt(generator, 0, limit - 1),
    // 1 - u keeps the logarithm's argument above 0.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    fork: () => drawsOf(generator.clone()),
  };
}

/**
 * Draws from `0..limit - 1` for resamples, which take millions: one word each, so a number's chance is off by less than `limit / 2^32` of
 * itself.
 */
export function quickIntegers(seed: number): (limit: number) => number {
  const generator = open(seed);
  return (limit) => Math.floor(((generator.next() >>> 0) / 2 ** 32) * limit);
}

function open(seed: number) {
  checkOption(Number.isSafeInteger(seed) && seed >= 0, `seed is ${seed}; it must be a whole number in 0 .. 2^53 - 1`);
  const [low, high] = [seed | 0, Math.floor(seed / 2 ** 32)];
  return xoroshiro128plusFromState([-1, ~low, low, high]);
}

/** The numbers `0..count - 1` in random order (Fisher-Yates). */
export function permutation(count: number, draws: Random): Int32Array {
  const order = new Int32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  for (let i = count - 1; i > 0; i--) {
    const j = draws.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Row numbers for training and for choosing hyper-parameters: `share` of them (at least one) held out at random. */
export function holdOut(count: number, share: number, seed: number): { train: Int32Array; held: Int32Array } {
  checkOption(share > 0 && share < 1, `the held-out share is ${share}; it must lie between 0 and 1`);
  checkOption(count >= 2, `cannot hold out part of ${count} items`);
  const order = permutation(count, random(seed));
  const held = Math.min(Math.max(1, Math.round(count * share)), count - 1);
  return { train: order.slice(held).sort(), held: order.slice(0, held).sort() };
}
