import { expect, test } from 'vitest';
import { toAscii } from './ascii';
import { multiBlockMask } from './multi-block-mask';
import type { RandomSource } from './random';

const grid = { height: 4, width: 6 };

function scripted(...values: number[]): RandomSource & { ranges: [number, number][] } {
  const ranges: [number, number][] = [];
  const next = (low: number, high: number) => {
    ranges.push([low, high]);
    return values.shift()!;
  };
  return { uniform: next, integer: next, ranges };
}

test('rectangles are added until the count is reached, each limited to what is missing', () => {
  // 2 x 2 at (0, 0), then 2 x 2 at (0, 1), which adds two patches.
  const random = scripted(4, 0, 0, 0, 4, 0, 0, 1);
  const mask = multiBlockMask(grid, 6, random);
  expect(toAscii(mask, grid, { masked: '#', visible: '.' })).toBe('###...\n###...\n......\n......');
  expect(random.ranges[0]).toEqual([4, 6]);
  expect(random.ranges[4]).toEqual([4, 2]);
});

test('ten misses in a row end it short of the count', () => {
  // 2 x 2 at (0, 0); then ten times the same place, which adds nothing.
  const again = Array.from({ length: 10 }, () => [4, 0, 0, 0]).flat();
  const mask = multiBlockMask(grid, 6, scripted(4, 0, 0, 0, ...again));
  expect(mask.reduce((sum, cell) => sum + cell, 0)).toBe(4);
});

test('one rectangle adds at most half the grid unless told otherwise', () => {
  // 3 x 3 would fit into the default of 12 patches, not into 5; the tenth miss ends the mask empty.
  const nine = () => scripted(...Array.from({ length: 10 }, () => [9, 0, 0, 0]).flat());
  const covered = (mask: Uint8Array) => mask.reduce((sum, cell) => sum + cell, 0);
  expect(covered(multiBlockMask(grid, 9, nine()))).toBe(9);
  expect(covered(multiBlockMask(grid, 9, nine(), { maxPatches: 5 }))).toBe(0);
});

test('areas below one patch are refused', () => {
  expect(() => multiBlockMask(grid, 4, scripted(), { minPatches: 0 })).toThrow(
    expect.objectContaining({ code: 'options' }),
  );
});
