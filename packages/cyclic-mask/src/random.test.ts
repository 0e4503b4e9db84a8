import { expect, test } from 'vitest';
import { type RandomState, restoreRandom, seededRandom } from './random';

test('the sequence of a seed never changes between versions, so that stored runs resume', () => {
  // First words of sfc32, seeded with (stream, low word, high word) and 15 rounds, as an implementation in another
  // language gives them; a draw keeps the upper 27 and 26 bits of two words.
  const unit = (high: number, low: number) => ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
  const random = seededRandom(42);
  expect([random.uniform(0, 1), random.uniform(0, 1), random.integer(0, 2 ** 32 - 1)]).toEqual([
    unit(1251167922, 656401615),
    unit(478193053, 3278332503),
    1360198844,
  ]);
  expect(seededRandom(2 ** 40 + 7, 3).uniform(0, 1)).toBe(unit(2732550741, 160136084));
});

test('a generator restored from its state, through JSON, continues exactly', () => {
  const random = seededRandom(7);
  random.uniform(0, 1);
  const stored: RandomState = JSON.parse(JSON.stringify(random.state()));
  const draws = (source: typeof random) => Array.from({ length: 100 }, () => source.integer(0, 1000));
  expect(draws(restoreRandom(stored))).toEqual(draws(random));
});

test('streams of one seed differ', () => {
  expect(seededRandom(1, 0).uniform(0, 1)).not.toBe(seededRandom(1, 1).uniform(0, 1));
});

test('integers cover both ends of their range equally often', () => {
  const random = seededRandom(3);
  const counts = new Float64Array(7);
  for (let i = 0; i < 70_000; i++) counts[random.integer(-3, 3) + 3]! += 1;
  // Binomial with mean 10,000 and standard deviation 93: five of them.
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(463);
});

test('reals stay in their range, also when it is given from high to low', () => {
  const random = seededRandom(4);
  for (let i = 0; i < 1000; i++) {
    const value = random.uniform(4, 1);
    expect(value > 1 && value <= 4).toBe(true);
  }
});

test.each([-1, 0.5, Number.NaN, 2 ** 53])('seed %s is refused', (seed) => {
  expect(() => seededRandom(seed)).toThrow(/is not an integer from 0/);
});

test.each([[[1, 2, 3]], [[1, 2, 3, -4]], [[1, 2, 3, 4.5]], [null]])('state %j is refused', (state) => {
  expect(() => restoreRandom(state as unknown as RandomState)).toThrow(/not four integers/);
});
