/**
 * A seeded random order of `0..length-1` that is computed, not stored.
 *
 * `position -> index` is a Feistel network keyed by Philox (Luby and Rackoff 1988): split the number in two halves, and in
 * each round replace (left, right) by (right, left xor F(right)). Whatever F is, that is a bijection of the numbers of that
 * many bits; "cycle walking" (Black and Rogaway 2002) applies it again until the result falls below `length`, which makes it a
 * bijection of `0..length-1`. Any position of any pass costs a few Philox blocks and no memory, so a cursor into
 * hundreds of millions of images is one number.
 */

import { philox } from '@franca/tensor';
import { checkCount, DataError } from '../errors';
import { seedKey } from '../random';

const ROUNDS = 6;
const TWO_32 = 2 ** 32;
// Keeps these blocks apart from those of the augmentations, which use the same seed.
const KEY_SALT = 0x73687566;

/**
 * Opens a random order.
 * @param length number of items, at most 2^32
 * @param seed integer in `[0, 2^53)`
 * @param stream picks one of many orders of the same seed (the pass number)
 * @throws DataError bad-argument for what is no length, seed or stream, and from the order for a position outside it
 * @returns a bijection of `0..length-1`
 */
export function shuffledOrder(length: number, seed: number, stream: number): (position: number) => number {
  checkCount('shuffledOrder', 'length', length, 0);
  checkCount('shuffledOrder', 'stream', stream, 0);
  const halfBits = Math.max(1, Math.ceil(Math.log2(Math.max(2, length)) / 2));
  const mask = 2 ** halfBits - 1;
  const [low, high] = seedKey(seed);
  const key = [low, (high ^ KEY_SALT) >>> 0] as const;
  const round = (value: number, index: number): number =>
    philox([value, index, stream >>> 0, Math.floor(stream / TWO_32)], key)[0] & mask;

  const permute = (value: number): number => {
    let left = Math.floor(value / (mask + 1));
    let right = value & mask;
    for (let index = 0; index < ROUNDS; index++) [left, right] = [right, left ^ round(right, index)];
    return left * (mask + 1) + right;
  };
  return (position) => {
    // Outside of it the walk below would never end.
    if (!(position >= 0 && position < length))
      throw new DataError('bad-argument', `position ${position} is outside an order of ${length}`);
    let index = permute(position);
    while (index >= length) index = permute(index);
    return index;
  };
}
