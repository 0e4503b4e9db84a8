/** Ops on rows that have no test of their own, tested together for both families of kernels: softmax, norms, top-k. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compile } from '../../compile';
import type { Gpu } from '../../device/gpu';
import { spec } from '../../graph/op';
import { type OpenGpuOptions, openGpu } from '../../node';
import { grad } from '../../passes/grad';
import { checkOp, normals } from '../../testing';
import { mul } from '../elementwise';
import { gatherRows } from '../gather';
import { sum } from '../reduce';
import { input } from '../sources';
import { l2Normalise } from './l2-normalise';
import { layerNorm } from './layer-norm';
import { logSumExp } from './log-sum-exp';
import { logSoftmax, softmax } from './softmax';
import { argmax, topK } from './top-k';

const targets: [string, OpenGpuOptions][] = [
  ['subgroup per row', {}],
  ['workgroup tree, GPU family', { target: { family: 'gpu', subgroupSize: undefined } }],
];

describe.each(targets)('%s', (_, options) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu(options);
  });
  afterAll(() => gpu.dispose());

  test.each([[[3, 5]], [[7, 64]], [[2, 3, 129]], [[5, 1]], [[2, 1030]]])(
    'softmax, logSoftmax and logSumExp of %j',
    async (shape) => {
      await checkOp(gpu, (x) => [softmax(x), logSoftmax(x)], [{ shape }]);
      await checkOp(gpu, (x) => logSumExp(x, [-1]), [{ shape }]);
    },
  );
  test('softmax survives huge logits', async () => {
    await checkOp(gpu, (x) => softmax(x), [{ shape: [2, 3], values: [1e4, -1e4, 9999, -3e38, 0, 1] }], {
      gradient: false,
    });
  });
  test.each([[[3, 5]], [[4, 64]], [[2, 67, 96]], [[261, 12]], [[3, 1]]])('layerNorm of %j', async (shape) => {
    const D = shape.at(-1)!;
    await checkOp(gpu, (x, w, b) => layerNorm(x, w, b), [{ shape }, { shape: [D] }, { shape: [D] }], {
      tolerance: 3e-5,
      gradient: D > 1,
    });
  });
  test('layerNorm of a large mean keeps the variance', async () => {
    // (x - mean) is exact to f32's spacing at 1000, 6e-5, relative to a deviation of about 1
    const values = normals(2 * 64).map((value) => value + 1000);
    await checkOp(
      gpu,
      (x, w, b) => layerNorm(x, w, b),
      [{ shape: [2, 64], values }, { shape: [64] }, { shape: [64] }],
      { tolerance: 4e-4, gradient: false },
    );
  });
  test('layerNorm of a row that starts far from the rest keeps the variance', async () => {
    // one value of a lane's 12 is 1000 deviations away, and its square lost to rounding would be 0.06 of a variance
    const values = normals(2 * 384).map((value, i) => (i % 384 === 0 ? value + 1000 : value));
    await checkOp(
      gpu,
      (x, w, b) => layerNorm(x, w, b),
      [{ shape: [2, 384], values }, { shape: [384] }, { shape: [384] }],
      { gradient: false },
    );
  });
  test.each([
    [
      [5, 3],
      [4, 1, 2],
    ],
    [[5, 3, 64], [3]],
    [
      [5, 3, 13],
      [4, 0, 4, 2, 4],
    ],
    [[40, 8, 12], Array.from({ length: 37 }, (_, i) => (i * 7) % 40)],
    [[300, 8], Array.from({ length: 1100 }, (_, i) => (i * 7) % 301)],
  ] as [number[], number[]][])('layerNorm of rows of %j, where they lie', async (shape, rows) => {
    const D = shape.at(-1)!;
    const list = { shape: [rows.length], dtype: 'u32', values: rows.map((row) => row % shape[0]!) } as const;
    await checkOp(
      gpu,
      (x, w, b, at) => layerNorm(gatherRows(x, at), w, b),
      [{ shape }, { shape: [D] }, { shape: [D] }, list],
      { tolerance: 3e-5, gradientTolerance: 1e-4, directions: 4 },
    );
  });
  test('layerNorm of gathered rows has the bits of one that reads a copy, and so have its gradients', async () => {
    // an empty list, one with a row out of range, and all
    for (const at of [[], [6, 2, 99, 3], [0, 1, 2, 3, 4, 5, 6]]) {
      const run = async (copy: boolean) => {
        using step = await compile(
          gpu,
          (_, { x, w, b, g, list }) => {
            const rows = gatherRows(x, list);
            const y = layerNorm(copy ? mul(rows, 1) : rows, w, b);
            return { y, grads: grad(sum(mul(y, gatherRows(g, list))), { x, w, b }) };
          },
          {
            batch: {
              x: spec([7, 3, 20]),
              w: spec([20]),
              b: spec([20]),
              g: spec([7, 3, 20]),
              list: spec([at.length], 'u32'),
            },
          },
        );
        step.run({ x: normals(420, 1), w: normals(20, 2), b: normals(20, 3), g: normals(420, 4), list: at });
        const read = ['y', 'grads.x', 'grads.w', 'grads.b'] as const;
        return Promise.all(read.map(async (name) => Array.from(await step.read(name))));
      };
      expect(await run(false)).toEqual(await run(true));
    }
  });
  test.each([[[3, 5]], [[4, 64]], [[300, 3]]])('l2Normalise of %j', async (shape) => {
    await checkOp(gpu, (x) => l2Normalise(x), [{ shape }]);
  });
  test('l2Normalise of a zero row is zero', async () => {
    await checkOp(gpu, (x) => l2Normalise(mul(x, 0), 1e-8), [{ shape: [2, 4] }], { gradient: false });
  });
  test.each([
    [[3, 7], 3],
    [[2, 5000], 5],
    [[1, 1], 1],
  ] as const)('topK of %j, k = %i', async (shape, k) => {
    await checkOp(gpu, (x) => Object.values(topK(x, k)), [{ shape }]);
  });
  test('topK gives equal values in order of position, argmax the first', async () => {
    await checkOp(
      gpu,
      (x) => [...Object.values(topK(x, 4)), argmax(x)],
      [{ shape: [2, 5], values: [1, 3, 3, 2, 3, 0, 0, 0, 0, 0] }],
      { gradient: false },
    );
  });
});

test('bad rows are refused when recorded', () => {
  expect(() => layerNorm(input('x', [2, 4]), input('w', [3]), input('b', [4]))).toThrow(
    /layerNorm: weight \[3\] and bias \[4\] must be \[4\]/,
  );
  expect(() => topK(input('x', [2, 4]), 5)).toThrow(/k = 5 must lie between 1 and the row length of \[2, 4\]/);
});

test('topK ranks infinities and NaN last, in order of position; argmax goes along any axis', async () => {
  const gpu = await openGpu();
  const [low, nan] = [Number.NEGATIVE_INFINITY, Number.NaN];
  await checkOp(
    gpu,
    (x) => [topK(x, 3).indices, argmax(x, 0), argmax(x, 1)],
    [{ shape: [3, 4], values: [low, low, low, low, nan, 5, low, 1, 7, 0, 8, Number.POSITIVE_INFINITY] }],
    { gradient: false, tolerance: 0 },
  );
  await gpu.dispose();
});
