/**
 * The order in which Python's `random.shuffle` leaves a list after `random.seed(n)`, so that draws of published programs are repeated.
 *
 * Python draws from the Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998): 624 words of state, refilled by
 * `x[k] = x[k + 397] ^ (upper bit of x[k], lower bits of x[k + 1]) A`. A seed fills the state by `init_by_array`. A whole number below n is
 * taken from as many upper bits of one output as n has, again until it is below n; `shuffle` swaps from the end (Fisher-Yates).
 */
import { checkArgument, checkOption } from '../errors';

const WORDS = 624;
const SHIFT = 397;

/**
 * The numbers `0 .. count - 1` as Python 3 (since 3.2) shuffles `list(range(count))` after `random.seed(seed)`.
 *
 * @param seed a whole number in 0 .. 2^32 - 1
 * @throws EvalsError `argument` or `options`
 */
export function pythonShuffle(count: number, seed: number): Int32Array {
  checkArgument('pythonShuffle', 'count', count, 'number');
  checkArgument('pythonShuffle', 'seed', seed, 'number');
  checkOption(
    Number.isInteger(count) && count >= 0 && count < 2 ** 31,
    `count is ${count}; it must be a whole number below 2^31`,
  );
  checkOption(
    Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32,
    `seed is ${seed}; it must be a whole number below 2^32`,
  );
  const next = mersenneTwister(seed);
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = below(i + 1, next);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Uniform in `0 .. limit - 1`: Python's `_randbelow_with_getrandbits`. */
function below(limit: number, next: () => number): number {
  const unused = Math.clz32(limit);
  let value = next() >>> unused;
  while (value >= limit) value = next() >>> unused;
  return value;
}

/** Words of 32 bits, from the state that `init_by_array([seed])` gives. */
function mersenneTwister(seed: number): () => number {
  const state = stateOf(seed);
  let at = WORDS;
  return () => {
    if (at === WORDS) {
      refill(state);
      at = 0;
    }
    let word = state[at++]!;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  };
}

function stateOf(seed: number): Uint32Array {
  const state = new Uint32Array(WORDS);
  const mixed = (k: number): number => state[k]! ^ (state[k]! >>> 30);
  state[0] = 19650218;
  for (let k = 1; k < WORDS; k++) state[k] = Math.imul(mixed(k - 1), 1812433253) + k;
  // both passes step from the first word to the last, and go on at word 1 with the last one before it
  let k = 1;
  const step = (word: number): void => {
    state[k++] = word;
    if (k < WORDS) return;
    state[0] = state[WORDS - 1]!;
    k = 1;
  };
  for (let i = 0; i < WORDS; i++) step((state[k]! ^ Math.imul(mixed(k - 1), 1664525)) + seed);
  for (let i = 1; i < WORDS; i++) step((state[k]! ^ Math.imul(mixed(k - 1), 1566083941)) - k);
  state[0] = 0x80000000;
  return state;
}

function refill(state: Uint32Array): void {
  for (let k = 0; k < WORDS; k++) {
    const joined = (state[k]! & 0x80000000) | (state[(k + 1) % WORDS]! & 0x7fffffff);
    state[k] = state[(k + SHIFT) % WORDS]! ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
  }
}
