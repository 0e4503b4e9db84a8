import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Gpu } from '../gpu';
import type { Tensor } from '../graph';
import { openGpu } from '../node';
import type { Target } from '../target';
import { type CheckInput, checkOp } from '../testing';
import * as ops from './elementwise';
import { type MatmulAttrs, matmul } from './matmul';

const LAYOUTS: readonly MatmulAttrs[] = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
  { transposeA: true, transposeB: true },
];
const layoutName = ({ transposeA, transposeB }: MatmulAttrs): string =>
  `${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'}`;

const operands = (
  { transposeA, transposeB }: MatmulAttrs,
  [M, N, K]: readonly number[],
  batch: readonly number[] = [],
): CheckInput[] => [
  { shape: [...batch, ...(transposeA ? [K!, M!] : [M!, K!])] },
  { shape: [...batch, ...(transposeB ? [N!, K!] : [K!, N!])] },
];

const families: readonly (readonly [string, Partial<Target>])[] = [
  ['subgroup broadcast', { family: 'cpu' }],
  ['register tiles', { family: 'cpu', subgroupSize: undefined }],
];

describe.each(families)('matmul by %s', (_, target) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu({ target });
  });
  afterAll(() => gpu.dispose());

  // Sums of K products of standard normals: rounding grows as sqrt(K) ulp, far below the default tolerance at these sizes.
  describe.each(LAYOUTS.map((layout) => [layoutName(layout), layout] as const))('%s', (_, layout) => {
    test.each([
      ['of one element', [1, 1, 1]],
      ['of whole vectors and partial tiles', [36, 40, 20]],
      ['of primes', [19, 37, 13]],
      ['one past whole vectors', [33, 65, 17]],
    ] as const)('%s', async (_, size) => {
      await checkOp(gpu, (a, b) => matmul(a!, b!, layout), operands(layout, size), { samples: 4 });
    });
    test('in batches', async () => {
      await checkOp(gpu, (a, b) => matmul(a!, b!, layout), operands(layout, [5, 12, 8], [2, 3]), { samples: 4 });
    });
  });

  test('one B serves all batches of A', async () => {
    await checkOp(gpu, (a, b) => matmul(a!, b!), [{ shape: [3, 7, 8] }, { shape: [8, 12] }]);
    await checkOp(gpu, (a, b) => matmul(a!, b!, { transposeA: true }), [{ shape: [3, 8, 7] }, { shape: [8, 12] }]);
  });
  test('one A serves all batches of B', async () => {
    await checkOp(gpu, (a, b) => matmul(a!, b!), [{ shape: [7, 8] }, { shape: [3, 8, 12] }]);
  });
  test('f16 operands are summed in f32', async () => {
    // The result is stored as f16: rounding to nearest is within 2^-11 of the value, and the f32 sum may tip it.
    const half = (input: CheckInput): CheckInput => ({ ...input, dtype: 'f16', differentiate: false });
    for (const layout of LAYOUTS)
      await checkOp(gpu, (a, b) => matmul(a!, b!, layout), operands(layout, [20, 24, 300]).map(half), {
        tolerance: 1.01 * 2 ** -11,
      });
  });
  test.each([
    ['vectors', 40],
    ['single elements', 37],
  ])('an epilogue of bias, GELU, scale and residual on %s, with the pre-activation saved', async (_, N) => {
    const block = (x: Tensor, w: Tensor, bias: Tensor, scale: Tensor, residual: Tensor): Tensor[] => {
      const before = ops.add(matmul(x, w, { transposeB: true }), bias);
      return [ops.add(residual, ops.mul(ops.gelu(before), scale)), before];
    };
    await checkOp(
      gpu,
      (...inputs) => block(...(inputs as Parameters<typeof block>)),
      [{ shape: [2, 21, 20] }, { shape: [N, 20] }, { shape: [N] }, { shape: [N] }, { shape: [2, 21, N] }],
      { samples: 4 },
    );
  });
});
