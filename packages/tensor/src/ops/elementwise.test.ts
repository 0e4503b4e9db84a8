import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gpu } from '../device/gpu';
import { openGpu } from '../node';
import { checkOp } from '../testing';
import { abs, add, div, erf, exp, gelu, maximum, minimum, mul, neg, sigmoid, silu, sub, tanh } from './elementwise';
import { max, mean, min } from './extrema';
import { matmul } from './matmul/matmul';
import { sum } from './reduce';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

describe('elementwise ops', () => {
  test.each(Object.entries({ add, sub, mul, div, maximum, minimum }))(
    '%s broadcasts and differentiates',
    async (_, op) => {
      await checkOp(gpu, (a, b) => op(a!, b!), [{ shape: [3, 1, 5] }, { shape: [7, 1] }], { tolerance: 1e-4 });
    },
  );
  test.each(Object.entries({ neg, abs, exp, tanh, sigmoid, silu, gelu, erf }))('%s', async (_, op) => {
    const r = await checkOp(gpu, (a) => op(a!), [{ shape: [4, 16] }]);
    expect(r.forward).toBeLessThan(1e-6);
  });
  test('a linear layer with bias and GELU', async () => {
    await checkOp(gpu, (x, w, b) => mean(gelu(add(matmul(x!, w!, { transposeB: true }), b!)), [0]), [
      { shape: [2, 3, 8] },
      { shape: [12, 8] },
      { shape: [12] },
    ]);
  });
  test.each([
    ['max', max],
    ['min', min],
    ['mean', mean],
  ] as const)('%s over an axis', async (_, op) => {
    await checkOp(gpu, (x) => op(x!, [1], { keepDims: true }), [{ shape: [5, 7, 3] }]);
  });
  test('sum over axes', async () => {
    await checkOp(gpu, (x) => sum(x!, [0, 2]), [{ shape: [5, 4, 3, 2] }]);
  });
});
