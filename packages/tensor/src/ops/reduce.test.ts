import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compile } from '../compile';
import type { Gpu } from '../device/gpu';
import { type OpenGpuOptions, openGpu } from '../node';
import { checkOp } from '../testing';
import { cast } from './elementwise';
import { max, mean, min } from './extrema';
import { sum } from './reduce';
import { logSumExp } from './rows/log-sum-exp';
import { input } from './sources';

const targets: [string, OpenGpuOptions][] = [
  ['subgroup per row', {}],
  ['workgroup per row, GPU family', { target: { family: 'gpu', subgroupSize: undefined } }],
];

describe.each(targets)('%s', (_, options) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu(options);
  });
  afterAll(() => gpu.dispose());

  // one element, primes, columns of vectors, rows below and above the length a team takes, one and two passes
  test.each([
    [[1], [0]],
    [[], undefined],
    [[7, 13], [0]],
    [[7, 13], [1]],
    [[5, 8], [0]],
    [[3, 37], [-1]],
    [[3, 64], [1]],
    [[2, 1031, 3], [1]],
    [[2, 3, 1032], [2]],
    [
      [2, 3, 5, 7],
      [0, 2],
    ],
    [
      [2, 3, 5, 7],
      [1, 2, 3],
    ],
  ] as const)('sum, mean, max and min of %j over %j', async (shape, axes) => {
    await checkOp(gpu, (x) => [sum, mean, max, min].map((op) => op(x, axes)), [{ shape }], {
      // partial sums of up to 1032 normals reach 100 and round at 2^-18; the tolerance is relative to the largest value
      tolerance: 1e-5,
    });
  });
  test('many rows of a few columns, a last part that is not full', async () => {
    await checkOp(gpu, (x) => [sum, max].map((op) => op(x, [1])), [{ shape: [2, 1100, 20] }], {
      tolerance: 1e-5,
      gradient: false,
    });
  });
  test('reduced axes may stay as dimensions of size 1', async () => {
    await checkOp(gpu, (x) => [sum, mean, max, min].map((op) => op(x, [1], { keepDims: true })), [
      { shape: [5, 7, 3] },
    ]);
  });
  test('f16 rows are summed in f32', async (context) => {
    context.skip(!gpu.target.f16, 'the adapter has no f16');
    // 2049 ones: f16 cannot count beyond 2048, nor hold 2049
    await checkOp(
      gpu,
      (x) => [cast(sum(x, [1]), 'f32'), sum(cast(x, 'f32'), [1])],
      [{ shape: [2, 2049], dtype: 'f16', values: new Float32Array(4098).fill(1) }],
      { tolerance: 2 ** -11, gradient: false },
    );
  });
  test('a million elements in three passes, or two on a GPU', async () => {
    const n = 512 * 512 * 4 + 1;
    using step = await compile(gpu, (_, { x }) => ({ total: sum(x), top: max(x) }), {
      batch: { x: { shape: [n], dtype: 'f32' } },
    });
    const x = Float32Array.from({ length: n }, (_, i) => i % 2);
    x[700_001] = 3;
    step.run({ x });
    // every partial sum is an integer below 2^24, hence exact
    expect((await step.read('total'))[0]).toBe((n - 1) / 2 + 2);
    expect((await step.read('top'))[0]).toBe(3);
    expect(step.report.kernels).toBe(gpu.target.family === 'cpu' ? 6 : 4);
  });
  test('infinities survive, and log-sum-exp of nothing but -infinity is -infinity', async () => {
    const values = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 2];
    await checkOp(gpu, (x) => [max(x, [1]), logSumExp(x, [1])], [{ shape: [2, 2], values }], { gradient: false });
  });
  test('a sum over an empty axis is zero', async () => {
    await checkOp(gpu, (x) => [sum(x, [0]), sum(x, [1])], [{ shape: [0, 3] }], { gradient: false, tolerance: 0 });
  });
});

test('extrema and means over an empty axis are refused, over another axis they are empty', () => {
  for (const [name, op] of Object.entries({ max, min, mean })) {
    expect(() => op(input('x', [2, 0]), [1])).toThrow(`${name}: has no value over the empty ax`);
    expect(op(input('x', [2, 0]), [0]).shape).toEqual([0]);
  }
  expect(() => sum(input('x', [2, 3]), [2])).toThrow(/sum: axis 2 is out of range for \[2, 3\]/);
});

test('ties share the gradient of a maximum', async () => {
  const gpu = await openGpu();
  // central differences that move all tied elements at once see the mean of their slopes
  await checkOp(gpu, (x) => [max(x, [1]), min(x, [1])], [{ shape: [1, 4], values: [1, 3, 3, 1] }]);
  await gpu.dispose();
});
