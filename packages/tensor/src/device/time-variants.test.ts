import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planStep } from '../compile';
import type { Op } from '../graph/op';
import { openGpu } from '../node';
import { add } from '../ops/elementwise';
import { matmul, matmulOp } from '../ops/matmul/matmul';
import { productsOf } from '../plan/products';
import type { Gpu } from './gpu';
import { timeVariants } from './time-variants';

const product = (M: number, N: number, K: number, dtype: 'f16' | 'f32' = 'f32') => ({
  op: matmulOp as Op,
  inputs: [
    { shape: [M, K], dtype },
    { shape: [N, K], dtype },
  ],
  attrs: { transposeA: false, transposeB: true },
});

describe('the variants of a product', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu({ target: { family: 'gpu' } });
  });
  afterAll(() => gpu.dispose());

  // a busy machine compiles one for longer than the ten seconds that all have by default
  const patience = { seconds: 240 };
  test('are timed and agree with f64, by stamps where the adapter has them', async () => {
    const times = await timeVariants(gpu, product(69, 37, 45), patience);
    expect(times).toHaveLength(3);
    for (const { seconds, difference, agrees } of times) {
      expect(seconds).toBeGreaterThan(0);
      expect(difference).toBeLessThan(1e-5);
      expect(agrees).toBe(true);
    }
  });
  test('of f16 too', async (context) => {
    context.skip(!gpu.target.f16, 'the adapter has no f16');
    for (const { agrees, difference } of await timeVariants(gpu, product(69, 37, 45, 'f16'), patience)) {
      expect(agrees).toBe(true);
      expect(difference).toBeLessThan(1e-3);
    }
  });
  test('are all there are where that is asked for, as long as there is time', async () => {
    const [first, ...others] = await timeVariants(gpu, product(8, 8, 8), { which: 'all', seconds: 0 });
    expect(first!.seconds).toBeGreaterThan(0);
    expect(others.at(-1)!.variant).toBe('naive');
    for (const { seconds, problem } of others) {
      expect(seconds).toBeUndefined();
      expect(problem).toMatch(/^not timed; the 0 s/);
    }
    // @ts-expect-error: from plain JavaScript
    await expect(timeVariants(gpu, product(8, 8, 8), { which: 'best' })).rejects.toMatchObject({ code: 'options' });
    expect(gpu.allocatedBytes).toBe(0);
  });
});

test('of matrices that the adapter does not have all kernels compile, and what they do not compute is noticed', async () => {
  const target = {
    family: 'gpu',
    f16: true,
    subgroupSize: 32,
    subgroupMatrices: [
      { M: 16, N: 8, K: 16 },
      { M: 16, N: 16, K: 16 },
    ],
  } as const;
  await using gpu = await openGpu({ adapter: 'null', target });
  const times = await timeVariants(gpu, product(512, 512, 1024, 'f16'), { which: 'all' });
  const matrices = times.filter(({ variant }) => variant.startsWith('matrix 16x16x16 32x32x32'));
  expect(matrices.length).toBeGreaterThan(1);
  for (const { variant, problem, agrees } of times) {
    expect(problem, variant).toBeUndefined();
    expect(agrees, variant).toBe(false);
  }
});

test('an op with one kernel is timed, and nothing says whether it is right', async () => {
  await using gpu = await openGpu({ target: { family: 'cpu' } });
  const [only, ...others] = await timeVariants(gpu, product(8, 8, 8));
  expect(others).toEqual([]);
  expect(only!.seconds).toBeGreaterThan(0);
  expect(only!.agrees).toBeUndefined();
});

test('the products of a plan are each listed once, the largest share first', async () => {
  await using gpu = await openGpu({ adapter: 'null' });
  const matrix = (rows: number, columns: number) => ({ shape: [rows, columns], dtype: 'f32' }) as const;
  const batch = { a: matrix(4, 8), b: matrix(4, 8), w: matrix(16, 8), v: matrix(8, 40) };
  const plan = planStep(
    gpu.target,
    {},
    (_, { a, b, w, v }) => [
      add(matmul(a, w, { transposeB: true }), matmul(b, w, { transposeB: true })),
      matmul(a, v),
      add(a, b),
    ],
    { batch },
  );
  const products = productsOf(plan);
  expect(products.map(({ op, count, flops }) => [op.name, count, flops])).toEqual([
    ['matmul', 1, 2 * 4 * 40 * 8],
    ['matmul', 2, 2 * 4 * 16 * 8],
  ]);
  expect(products[1]).toMatchObject({ inputs: [batch.a, batch.w], attrs: { transposeB: true } });
  expect(productsOf(plan, () => false)).toEqual([]);
});
