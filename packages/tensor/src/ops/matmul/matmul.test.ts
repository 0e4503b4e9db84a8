import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sizeOf } from '../../base/shape';
import type { Target } from '../../base/target';
import type { Gpu } from '../../device/gpu';
import type { Kernel, Tensor } from '../../graph/op';
import { record1 } from '../../graph/record';
import { openGpu } from '../../node';
import { type CheckInput, checkOp, normals } from '../../testing';
import * as ops from '../elementwise';
import { input } from '../sources';
import { broadcastMatmul } from './broadcast';
import { type MatmulAttrs, matmul, matmulOp, matmulProblem } from './matmul';
import type { MatmulProblem } from './problem';
import { residentMatmul } from './resident';
import { splitMatmul } from './split';
import { tileMatmul } from './tile';

const LAYOUTS = [
  ['A B', { transposeA: false, transposeB: false }],
  ['A Bt', { transposeA: false, transposeB: true }],
  ['At B', { transposeA: true, transposeB: false }],
  ['At Bt', { transposeA: true, transposeB: true }],
] as const;

const operands = (
  { transposeA, transposeB }: MatmulAttrs,
  [M, N, K]: readonly number[],
  batch: readonly number[] = [],
): CheckInput[] => [
  { shape: [...batch, ...(transposeA ? [K!, M!] : [M!, K!])] },
  { shape: [...batch, ...(transposeB ? [N!, K!] : [K!, N!])] },
];

/** The product by kernels of the test's choice. */
const product =
  (attrs: MatmulAttrs, lower: (problem: MatmulProblem) => Kernel[]) =>
  (a?: Tensor, b?: Tensor): Tensor =>
    record1({ ...matmulOp, lower: (args) => lower(matmulProblem(args)) }, [a!, b!], attrs);

const FAMILIES: readonly (readonly [string, Partial<Target>])[] = [
  ['subgroup broadcast', { family: 'cpu' }],
  ['register tiles', { family: 'cpu', subgroupSize: undefined }],
  ['workgroup tiles', { family: 'gpu' }],
];

// Sums of K products of standard normals round by about sqrt(K) ulp, far below the default tolerance at these sizes.
describe.each(FAMILIES)('matmul by %s', (_, target) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu({ target });
  });
  afterAll(() => gpu.dispose());

  test.each(LAYOUTS)('%s and its gradients, in batches', async (_, attrs) => {
    await checkOp(gpu, (a, b) => matmul(a, b, attrs), operands(attrs, [21, 13, 17], [2, 3]));
  });
  test.each(LAYOUTS)('%s of whole vectors and partial tiles', async (_, attrs) => {
    const own = operands(attrs, [36, 40, 20]);
    await checkOp(gpu, (a, b) => matmul(a, b, attrs), own, { gradient: false, bitwise: false });
  });
  test.each([
    ['one element', [1, 1, 1]],
    ['a row and a column', [1, 1, 37]],
    ['a column and a row', [65, 66, 1]],
    ['nothing to sum', [3, 4, 0]],
  ] as const)('%s', async (_, size) => {
    await checkOp(gpu, (a, b) => matmul(a, b), operands(LAYOUTS[0][1], size), { gradient: false, bitwise: false });
  });
  test('one matrix serves all batches of the other', async () => {
    await checkOp(gpu, (a, b) => matmul(a, b), [{ shape: [3, 7, 8] }, { shape: [8, 12] }]);
    await checkOp(gpu, (a, b) => matmul(a, b), [{ shape: [7, 8] }, { shape: [3, 8, 12] }]);
  });
  test('f16 operands are summed in f32', async (context) => {
    context.skip(!gpu.target.f16, 'the adapter has no f16');
    // Multiples of 1/64 are exact in f16 and their products and sums in f32; the result is stored as f16, rounded to nearest.
    const inputs = operands(LAYOUTS[1][1], [20, 24, 300]).map(({ shape }, i): CheckInput => {
      const values = normals(sizeOf(shape), i).map((value) => Math.round(value * 64) / 64);
      return { shape, dtype: 'f16', values, differentiate: false };
    });
    await checkOp(gpu, (a, b) => matmul(a, b, LAYOUTS[1][1]), inputs, { tolerance: 2 ** -11 });
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
      { gradient: false },
    );
  });
});

test('batches that are not those of one operand are refused', () => {
  for (const [a, b] of [
    [[2], [3]],
    [[2, 3], [3]],
    [
      [3, 1],
      [1, 3],
    ],
  ] as const)
    expect(() => matmul(input('a', [...a, 4, 5]), input('b', [...b, 5, 6]))).toThrow(
      /batch dimensions of .* do not fit/,
    );
  expect(matmul(input('a', [2, 3, 4, 5]), input('b', [1, 1, 5, 6])).shape).toEqual([2, 3, 4, 6]);
});

describe('matmul kernels', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu.dispose());

  // Two units of each operand per invocation and partial ones, blocks of several vectors, more than one step: what shipped tiles combine.
  test.each(LAYOUTS)('tiles of any shape: %s', async (_, attrs) => {
    const tile = { rows: 16, columns: 32, depth: 8, blockRows: 4, blockColumns: 8 };
    const multiply = product(attrs, (problem) => [tileMatmul(problem, tile)]);
    await checkOp(gpu, multiply, operands(attrs, [37, 45, 29], [2]), { gradient: false });
  });
  test.each(LAYOUTS.filter(([, { transposeA }]) => !transposeA))('a resident B: %s', async (_, attrs) => {
    const multiply = product(attrs, (problem) => [residentMatmul(problem)]);
    for (const size of [
      [331, 37, 33],
      [21, 36, 64],
      [3, 8, 1],
    ])
      await checkOp(
        gpu,
        (a, b, bias, x) => ops.add(ops.mul(ops.add(multiply(a, b), bias), bias), x),
        [...operands(attrs, size, [2]), { shape: [size[1]!] }, { shape: [2, size[0]!, size[1]!] }],
        { gradient: false },
      );
  });
  test.each(['vectors', 'single elements'])('k in ranges of several workgroups, on %s', async (kind) => {
    const attrs = LAYOUTS[2][1];
    const N = kind === 'vectors' ? 12 : 13;
    const multiply = product(attrs, (problem) =>
      splitMatmul(problem, 3, 8, (part) =>
        part.target.family === 'cpu' && part.target.subgroupSize
          ? broadcastMatmul(part, 16)
          : tileMatmul(part, { rows: 16, columns: 16, depth: 8, blockRows: 4, blockColumns: 4 }),
      ),
    );
    await checkOp(
      gpu,
      (a, b, bias) => ops.add(multiply(a, b), bias),
      [...operands(attrs, [19, N, 70], [2]), { shape: [N] }],
      { gradient: false },
    );
  });
});
