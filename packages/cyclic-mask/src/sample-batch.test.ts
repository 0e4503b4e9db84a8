import { expect, test } from 'vitest';
import { type RandomSource, seededRandom } from './random';
import { type BatchMaskOptions, sampleBatch, upperBound } from './sample-batch';
import { type MaskStrategyName, maskStrategies } from './strategy';

const grid = { height: 16, width: 16 };
const masked = (mask: Uint8Array) => mask.reduce((sum, cell) => sum + cell, 0);

test('half of the crops get a mask, one from each bin of the ratio range', () => {
  const counts = sampleBatch({ crops: 22, grid }, seededRandom(0))
    .map(masked)
    .sort((a, b) => a - b);
  expect(counts.slice(0, 11)).toEqual(new Array(11).fill(0));
  // Bins of width 0.05: count i lies between 256 * (0.1 + 0.05 i) and 256 * (0.1 + 0.05 (i + 1)).
  counts.slice(11).forEach((count, bin) => {
    expect(count).toBeGreaterThanOrEqual(Math.floor(256 * (0.1 + 0.05 * bin) - 1e-4));
    expect(count).toBeLessThanOrEqual(Math.floor(256 * (0.15 + 0.05 * bin) + 1e-4));
  });
});

test('masks are spread over the crops by a shuffle', () => {
  const random = seededRandom(1);
  const hits = new Float64Array(8);
  for (let batch = 0; batch < 4000; batch++) {
    sampleBatch({ crops: 8, grid: { height: 2, width: 2 }, ratio: [0.5, 0.5] }, random).forEach((mask, crop) => {
      if (masked(mask)) hits[crop]! += 1;
    });
  }
  // Binomial with mean 2,000 and standard deviation 32: five of them.
  for (const count of hits) expect(Math.abs(count - 2000)).toBeLessThan(158);
});

test('no batch masks more than the upper bound, for any strategy', () => {
  for (const strategy of Object.values(maskStrategies)) {
    const options: BatchMaskOptions = { crops: 8, grid: { height: 5, width: 7 }, strategy, ratio: [0.2, 0.9] };
    const bound = upperBound(options);
    const random = seededRandom(2);
    for (let batch = 0; batch < 200; batch++) {
      const total = sampleBatch(options, random).reduce((sum, mask) => sum + masked(mask), 0);
      expect(total).toBeLessThanOrEqual(bound);
    }
  }
});

test('a strategy may be given by its name', () => {
  const options = { crops: 8, grid: { height: 5, width: 7 } };
  for (const [name, strategy] of Object.entries(maskStrategies))
    expect(sampleBatch({ ...options, strategy: name as MaskStrategyName }, seededRandom(3))).toEqual(
      sampleBatch({ ...options, strategy }, seededRandom(3)),
    );
  const wrong = { ...options, strategy: 'cyclical' as MaskStrategyName };
  expect(() => sampleBatch(wrong, seededRandom(3))).toThrow(/no strategy "cyclical"; give one of random, .*cyclic/);
});

test('what nothing can be drawn from is refused', () => {
  for (const random of [undefined, 3, Math.random])
    expect(() => sampleBatch({ crops: 4, grid }, random as unknown as RandomSource)).toThrow(
      /give seededRandom\(seed\)/,
    );
});

test('the upper bound at full size is the official one', () => {
  const at = (crops: number, side: number) => upperBound({ crops, grid: { height: side, width: side } });
  expect([at(32, 16), at(64, 16), at(128, 16)]).toEqual([1600, 3129, 6183]);
  expect([at(32, 37), at(64, 37), at(128, 37)]).toEqual([8583, 16789, 33201]);
});

test('some of the crops mask no more than the upper bound of so many, which the fullest bins reach', () => {
  const options: BatchMaskOptions = { crops: 8, grid: { height: 5, width: 8 }, strategy: 'random', ratio: [0.2, 0.6] };
  // four bins end at 0.3, 0.4, 0.5 and 0.6 of 40 patches
  expect([0, 1, 2, 3, 4, 8].map((some) => upperBound(options, some))).toEqual([0, 24, 44, 60, 72, 72]);
  const random = seededRandom(5);
  for (let batch = 0; batch < 200; batch++) {
    const counts = sampleBatch(options, random).map(masked);
    for (const some of [1, 2, 3, 5])
      expect(counts.slice(0, some).reduce((a, b) => a + b)).toBeLessThanOrEqual(upperBound(options, some));
  }
  for (const some of [-1, 1.5, 9]) expect(() => upperBound(options, some)).toThrow(`${some} crops are not some of 8`);
});

test('a batch without masked crops is valid', () => {
  expect(upperBound({ crops: 4, grid, probability: 0 })).toBe(0);
  expect(sampleBatch({ crops: 1, grid }, seededRandom(0)).map(masked)).toEqual([0]);
});

test.each([
  [{ crops: 0 }, /batch of 0 crops/, 'batch'],
  [{ probability: 1.5 }, /probability 1.5/, 'batch'],
  [{ ratio: [0.5, 0.2] as const }, /\[0.5, 0.2\]/, 'ratio'],
  [{ ratio: [0, 1.1] as const }, /\[0, 1.1\]/, 'ratio'],
  [{ ratio: [Number.NaN, 1] as const }, /\[NaN, 1\]/, 'ratio'],
  [{ grid: { height: 0, width: 3 } }, /grid of 0 x 3/, 'grid'],
  [{ grid: undefined }, /give { height, width }/, 'grid'],
  [{ ratio: 0.75 }, /mask ratio 0.75 is no range: give \[smallest, largest\]/, 'ratio'],
  [{ mask_ratio: [0.1, 0.5] }, /there is no option "mask_ratio"; options are crops, grid, .*ratio/, 'options'],
])('%o is refused', (wrong, message, code) => {
  const options = { crops: 4, grid, ...wrong } as BatchMaskOptions;
  for (const use of [() => sampleBatch(options, seededRandom(0)), () => upperBound(options)]) {
    expect(use).toThrow(message);
    expect(use).toThrow(expect.objectContaining({ code }));
  }
});
