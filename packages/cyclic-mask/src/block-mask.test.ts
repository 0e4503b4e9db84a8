import { expect, test } from 'vitest';
import { toAscii } from './ascii';
import { blockMask } from './block-mask';
import type { RandomSource } from './random';

/** Replays the given numbers, whatever the range. */
function scripted(...values: number[]): RandomSource {
  const next = () => values.shift()!;
  return { uniform: next, integer: next };
}

const draw = (mask: Uint8Array) => toAscii(mask, { height: 4, width: 6 }, { masked: '#', visible: '.' }).split('\n');

test('sides are rounded up and the surplus is cut from the end of the last row', () => {
  // 5 patches at aspect 1: a 3 x 3 square cut after 5 cells, at row 1, column 2.
  expect(draw(blockMask({ height: 4, width: 6 }, 5, scripted(0, 1, 2)))).toEqual([
    '......',
    '..###.',
    '..##..',
    '......',
  ]);
});

test('rolling shifts the block around the edges', () => {
  // The same block shifted by 2 rows and 3 columns.
  expect(draw(blockMask({ height: 4, width: 6 }, 5, scripted(0, 1, 2, 2, 3), { roll: true }))).toEqual([
    '#....#',
    '......',
    '......',
    '##...#',
  ]);
});

test('the range of aspects is narrowed to the blocks that fit', () => {
  const ranges: [number, number][] = [];
  const random: RandomSource = {
    uniform: (low, high) => {
      ranges.push([low, high]);
      return low;
    },
    integer: (low) => low,
  };
  blockMask({ height: 4, width: 6 }, 12, random);
  blockMask({ height: 40, width: 60 }, 12, random, { minAspect: 0.5 });
  expect(ranges[0]).toEqual([Math.log(12 / 36), Math.log(16 / (12 + 1e-5))]);
  expect(ranges[1]).toEqual([-Math.log(2), Math.log(2)]);
});

test.each([0, -1, 1.5, Number.NaN])('minAspect %s is refused', (minAspect) => {
  expect(() => blockMask({ height: 4, width: 4 }, 4, scripted(0, 0, 0), { minAspect })).toThrow(
    expect.objectContaining({ code: 'options' }),
  );
});
