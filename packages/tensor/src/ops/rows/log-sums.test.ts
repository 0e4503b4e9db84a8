import { afterAll, beforeAll, expect, test } from 'vitest';
import { compile } from '../../compile';
import type { Gpu } from '../../device/gpu';
import type { Spec } from '../../graph/op';
import { openGpu } from '../../node';
import { checkOp, normals } from '../../testing';
import { columnLogSums, rowLogSums } from './log-sums';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const noGradient = { gradient: false };

test.each([
  [1, 1],
  [5, 7],
  [3, 1024],
  [300, 4],
  [1100, 9],
])('log sums of a [%d, %d] matrix by row and by column', async (R, K) => {
  await checkOp(gpu, rowLogSums, [{ shape: [R, K] }, { shape: [K] }], noGradient);
  await checkOp(gpu, columnLogSums, [{ shape: [R, K] }, { shape: [R] }], noGradient);
});

test('a row sum continues that of other columns', async () => {
  await checkOp(gpu, rowLogSums, [{ shape: [4, 12] }, { shape: [12] }, { shape: [4] }], noGradient);
});

test('without subgroups, and in the other kernel family', async () => {
  for (const target of [{ subgroupSize: undefined }, { family: 'gpu' as const }]) {
    await using other = await openGpu({ target });
    await checkOp(other, rowLogSums, [{ shape: [3, 40] }, { shape: [40] }, { shape: [3] }], noGradient);
    await checkOp(other, columnLogSums, [{ shape: [100, 40] }, { shape: [100] }], noGradient);
  }
});

test('values far outside the range of exp, and rows shifted out of every sum', async () => {
  const f32 = (...shape: number[]): Spec => ({ shape, dtype: 'f32' });
  using step = await compile(gpu, (_, { x, d }) => ({ columns: columnLogSums(x, d) }), {
    batch: { x: f32(3, 2), d: f32(3) },
  });
  step.run({ x: [1e4, -1e4, 1e4, -1e4, 5, 5], d: [0, 0, -1e30] });
  const expected = [1e4 + Math.log(2), -1e4 + Math.log(2)];
  (await step.read('columns')).forEach((value, k) => {
    expect(value).toBeCloseTo(expected[k]!, 2);
  });
  step.run({ x: normals(6), d: [-1e30, -1e30, -1e30] });
  for (const value of await step.read('columns')) expect(Number.isFinite(value)).toBe(true);
});
