/**
 * Random numbers for masks. Strategies draw from an interface, so that recorded draws can be replayed; the generator
 * that comes with it is sfc32 ("small fast chaotic", C. Doty-Humphrey, PractRand): three 32-bit words that are mixed by
 * shifts and adds, and a counter that guarantees a period of at least 2^32. The four words are the whole state, so a run
 * that stores them resumes with the very same masks.
 */
import { CyclicMaskError } from './errors';

/** What a strategy draws from. */
export interface RandomSource {
  /** A real number `low + (high - low) * u` with u in [0, 1); `high` may be below `low`. */
  uniform(low: number, high: number): number;
  /** An integer of `low..high`, both ends included, all equally likely. */
  integer(low: number, high: number): number;
}

/** The four 32-bit words of the generator; plain JSON. */
export type RandomState = readonly [a: number, b: number, c: number, counter: number];

/** A random source whose state can be stored. */
export interface SeededRandom extends RandomSource {
  /** The state before the next draw, for `restoreRandom`. */
  state(): RandomState;
}

/** Throws `random` unless `random` can be drawn from. */
export function checkRandom(random: RandomSource): void {
  if (typeof random?.uniform === 'function' && typeof random.integer === 'function') return;
  throw new CyclicMaskError(
    'random',
    `masks are drawn from ${String(random)}; give seededRandom(seed), or an object with uniform and integer`,
  );
}

const WARM_UP_ROUNDS = 15;
const WORD = 2 ** 32;

/**
 * Generator number `stream` of `seed`: give every rank or worker its own stream.
 * `seed` is a non-negative integer below 2^53, `stream` below 2^32. Throws `random`.
 */
export function seededRandom(seed: number, stream = 0): SeededRandom {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new CyclicMaskError('random', `seed ${seed} is not an integer from 0 to 2^53 - 1`);
  }
  if (!isWord(stream)) throw new CyclicMaskError('random', `stream ${stream} is not an integer from 0 to 2^32 - 1`);
  const random = generator([stream, seed % WORD, Math.floor(seed / WORD), 1]);
  for (let round = 0; round < WARM_UP_ROUNDS; round++) random.word();
  return random;
}

/** The generator that continues exactly after `state`. Throws `random` when it is not four 32-bit words. */
export function restoreRandom(state: RandomState): SeededRandom {
  if (!Array.isArray(state) || state.length !== 4 || !state.every(isWord)) {
    throw new CyclicMaskError(
      'random',
      `random state ${JSON.stringify(state)} is not four integers from 0 to 2^32 - 1: pass what state() returned`,
    );
  }
  return generator(state);
}

function generator(state: RandomState): SeededRandom & { word(): number } {
  let [a, b, c, counter] = state;

  function word(): number {
    const mixed = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = (b ^ (b >>> 9)) >>> 0;
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + mixed) >>> 0;
    return mixed;
  }

  function uniform(low: number, high: number): number {
    const unit = ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53;
    return low + (high - low) * unit;
  }

  function integer(low: number, high: number): number {
    const choices = high - low + 1;
    // Words past the last whole multiple of `choices` would favour the small integers.
    const fair = WORD - (WORD % choices);
    let drawn = word();
    while (drawn >= fair) drawn = word();
    return low + (drawn % choices);
  }

  return { word, uniform, integer, state: () => [a, b, c, counter] };
}

function isWord(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < WORD;
}
