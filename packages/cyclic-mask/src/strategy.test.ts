import { expect, test } from 'vitest';
import { seededRandom } from './random';
import { type MaskStrategyName, maskStrategies, strategyOfFlags } from './strategy';

const names = Object.keys(maskStrategies) as MaskStrategyName[];
const exact = names.filter((name) => name !== 'multi-block');
const masked = (mask: Uint8Array) => mask.reduce((sum, cell) => sum + cell, 0);
const grids = [
  [7, 7],
  [16, 16],
  [5, 12],
  [12, 5],
  [1, 9],
  [9, 1],
  [50, 2],
  [1, 1],
] as const;

test.each(exact)('%s masks exactly the number of patches asked for, on every grid and for every count', (name) => {
  const random = seededRandom(0);
  for (const [height, width] of grids) {
    for (let count = 0; count <= height * width; count++) {
      const mask = maskStrategies[name]({ height, width }, count, random);
      expect([mask.length, masked(mask)]).toEqual([height * width, count]);
    }
  }
});

test('multi-block never masks more than asked for', () => {
  const random = seededRandom(0);
  for (let count = 0; count <= 256; count++) {
    const mask = maskStrategies['multi-block']({ height: 16, width: 16 }, count, random);
    expect(masked(mask)).toBeLessThanOrEqual(count);
  }
});

test.each(names)('%s gives the same mask for the same seed', (name) => {
  const draw = () => maskStrategies[name]({ height: 8, width: 8 }, 30, seededRandom(11));
  expect(draw()).toEqual(draw());
});

test.each(names)('%s refuses a count that the grid does not have, and an empty grid', (name) => {
  const strategy = maskStrategies[name];
  const draw = (height: number, width: number, count: number) => () =>
    strategy({ height, width }, count, seededRandom(0));
  expect(draw(4, 4, 17)).toThrow('cannot mask 17 patches of a 4 x 4 grid: give an integer from 0 to 16');
  expect(draw(4, 4, -1)).toThrow(expect.objectContaining({ code: 'count' }));
  expect(draw(4, 4, 2.5)).toThrow(expect.objectContaining({ code: 'count' }));
  expect(draw(0, 4, 0)).toThrow(expect.objectContaining({ code: 'grid' }));
});

test('the official switches select the strategy, and the block ones do nothing without use_block_masking', () => {
  const of = (use_block_masking: boolean, use_inverse_block: boolean, roll: boolean) =>
    strategyOfFlags({ use_block_masking, use_inverse_block, roll });
  expect([of(true, true, true), of(true, true, false)]).toEqual(['cyclic', 'inverse-block']);
  expect([of(true, false, true), of(true, false, false)]).toEqual(['rolled-block', 'block']);
  expect([of(false, true, true), of(false, false, false)]).toEqual(['multi-block', 'multi-block']);
});
