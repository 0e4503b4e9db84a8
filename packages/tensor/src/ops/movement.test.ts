/** Ops that only move elements, tested together: transpose, slice, pad, concat, gather, patchify. Results are exact. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { range } from '../base/whole-numbers';
import type { Gpu } from '../device/gpu';
import { openGpu } from '../node';
import { interpret } from '../passes/interpret';
import { checkOp } from '../testing';
import { concat } from './concat';
import { gatherRows, scatterAddRows } from './gather';
import { patchify } from './patchify';
import { segmentRows } from './segment-rows';
import { pad, slice, sliceAxis } from './slice';
import { constant, input } from './sources';
import { transpose } from './transpose';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

// Elements are only moved, so results are exact.
const exact = { tolerance: 0, gradientTolerance: 1e-6 };

test.each([
  [
    [3, 5],
    [1, 0],
  ],
  [
    [2, 3, 4, 8],
    [0, 2, 1, 3],
  ],
  [
    [7, 1, 3],
    [2, 0, 1],
  ],
])('transpose %j by %j', async (shape, order) => {
  await checkOp(gpu, (x) => transpose(x, order), [{ shape }], exact);
});
test.each([
  [
    [6, 5],
    [1, 2],
    [4, 3],
  ],
  [
    [4, 8],
    [1, 4],
    [2, 4],
  ],
  [
    [9, 64],
    [3, 0],
    [5, 64],
  ],
])('slice of %j at %j, box %j', async (shape, start, box) => {
  await checkOp(gpu, (x) => slice(x, start, box), [{ shape }], exact);
});
test('rows of listed images of several sizes, an empty list and images that do not exist among them', async () => {
  const segments = [
    { B: 3, N: 5 },
    { B: 2, N: 1 },
    { B: 4, N: 3 },
  ];
  const lists = [[2, 0], [], [3, 9, 1]];
  const inputs = lists.map((values) => ({ shape: [values.length], dtype: 'u32' as const, values }));
  await checkOp(gpu, (...images) => segmentRows(images, segments), inputs, exact);
  const rows = segmentRows(
    lists.map((values) => constant(values, [values.length], 'u32')),
    segments,
  );
  const images = (first: number, count: number): number[] => range(count).map((i) => first + i);
  expect([...interpret([rows], {}).value(rows).data]).toEqual(
    [images(10, 5), images(0, 5), images(26, 3), images(26, 3), images(20, 3)].flat(),
  );
  expect(() => segmentRows([constant([0], [1], 'u32')], segments)).toThrow(/a list of images for each segment/);
  expect(() => segmentRows([constant([0], [1])], segments.slice(1, 2))).toThrow(/must be lists of u32, got f32/);
});
test('a slice of whole rows at a 256-byte boundary is a view', () => {
  expect(sliceAxis(input('x', [9, 64]), 0, 3, 8).node.op.view).toBeDefined();
  expect(sliceAxis(input('x', [9, 63]), 0, 3, 8).node.op.view).toBeUndefined();
});
test('pad with a value', async () => {
  await checkOp(gpu, (x) => pad(x, [1, 0, 2], [0, 3, 1], -2), [{ shape: [2, 3, 4] }], exact);
});
test('concat along every axis', async () => {
  await checkOp(gpu, (a, b) => concat([a, b, a], 1), [{ shape: [3, 2, 4] }, { shape: [3, 5, 4] }], exact);
  await checkOp(gpu, (a, b) => concat([a, b], -1), [{ shape: [3, 1] }, { shape: [3, 2] }], exact);
});
test('gather and scatter rows with repeated indices', async () => {
  const indices = () => constant([4, 0, 4, 2], [4], 'u32');
  await checkOp(gpu, (x) => gatherRows(x, indices()), [{ shape: [5, 3] }], exact);
  await checkOp(gpu, (x) => scatterAddRows(x, indices(), 6), [{ shape: [4, 8] }], { tolerance: 1e-6 });
});
test('patchify lays out channel, row, column', async () => {
  await checkOp(gpu, (x) => patchify(x, 3), [{ shape: [2, 2, 6, 9] }], exact);
});
test('bad arguments name the op, the shapes and the line', () => {
  const x = input('x', [4, 4]);
  expect(() => slice(x, [2, 0], [3, 4])).toThrow(
    /slice: box \[3, 4\] at \[2, 0\] is not inside \[4, 4\]\n {4}at .*movement\.test\.ts:\d+/,
  );
  expect(() => transpose(x, [0, 0])).toThrow(/transpose: \[0, 0\] is no order/);
  expect(() => patchify(input('y', [1, 3, 10, 9]), 3)).toThrow(/do not divide into patches of 3/);
  expect(() => concat([x, input('y', [3, 3])], 0)).toThrow(/does not fit beside/);
});
