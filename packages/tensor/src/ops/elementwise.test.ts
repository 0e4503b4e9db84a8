import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gpu } from '../gpu';
import { openGpu } from '../node';
import { checkOp } from '../testing';
import * as ops from './elementwise';
import { matmul } from './matmul';
import { mean, sum } from './reduce';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

describe('elementwise ops', () => {
  test.each(['add', 'sub', 'mul', 'div', 'maximum', 'minimum'] as const)(
    '%s broadcasts and differentiates',
    async (name) => {
      await checkOp(gpu, (a, b) => ops[name](a!, b!), [{ shape: [3, 1, 5] }, { shape: [7, 1] }], { tolerance: 1e-4 });
    },
  );
  test.each(['neg', 'abs', 'exp', 'tanh', 'sigmoid', 'silu', 'gelu', 'erf'] as const)('%s', async (name) => {
    const r = await checkOp(gpu, (a) => ops[name](a!), [{ shape: [4, 16] }]);
    expect(r.forward).toBeLessThan(1e-6);
  });
  test('a linear layer with bias and GELU', async () => {
    await checkOp(gpu, (x, w, b) => mean(ops.gelu(ops.add(matmul(x!, w!, { transposeB: true }), b!)), [0]), [
      { shape: [2, 3, 8] },
      { shape: [12, 8] },
      { shape: [12] },
    ]);
  });
  test('sum over axes', async () => {
    await checkOp(gpu, (x) => sum(x!, [0, 2]), [{ shape: [5, 4, 3, 2] }]);
  });
});
