import { defaultTarget, layoutState } from '@franca/tensor';
import { expect, test } from 'vitest';
import { blockParameters, blockRange } from './segment-blocks';

const parameter = (elements: number) => ({ shape: [elements], dtype: 'f32' as const });

// 256 elements to a window: `a` fills one block of 128, `b` three and a piece of a fourth, `c` one
const { group } = layoutState(
  { group: { a: parameter(100), b: parameter(400), c: parameter(1) } },
  { ...defaultTarget, maxBindingBytes: 1024 },
);

test('every block of a window knows its parameter, also where a parameter runs on into the next window', () => {
  const { windows } = group;
  expect(windows.map((window) => [...blockParameters(group, window)])).toEqual([
    [0, 1],
    [1, 1],
    [1, 2],
  ]);
});

test('a segment has no blocks in a window that it does not reach', () => {
  const { windows, segments } = group;
  expect(windows.map((window) => blockRange(segments.b, window))).toEqual([
    { first: 1, end: 2 },
    { first: 0, end: 2 },
    { first: 0, end: 1 },
  ]);
  const { first, end } = blockRange(segments.c, windows[0]!);
  expect(end).toBeLessThanOrEqual(first);
});
