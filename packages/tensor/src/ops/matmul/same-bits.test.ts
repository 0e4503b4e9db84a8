/** Kernels of CPU adapters differ in speed alone: whatever the height of a tile, and with a resident B, a product has the same bits. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sizeOf } from '../../base/shape';
import { defaultTarget, type Target } from '../../base/target';
import { compile, planStep } from '../../compile';
import type { Gpu } from '../../device/gpu';
import { chosenVariants } from '../../device/tuner';
import type { Kernel, Tensor } from '../../graph/op';
import { record1 } from '../../graph/record';
import { openGpu } from '../../node';
import { normals } from '../../testing';
import { add, gelu } from '../elementwise';
import { broadcastMatmul } from './broadcast';
import { type MatmulAttrs, matmul, matmulOp, matmulProblem } from './matmul';
import type { MatmulProblem } from './problem';
import { residentMatmul } from './resident';

type Lower = (problem: MatmulProblem) => Kernel;

const TILES = [8, 32, 64].map(
  (rows): Lower =>
    (problem) =>
      broadcastMatmul(problem, rows),
);
/** A resident B takes rows of A as they are. */
const lowerings = (transposeA: boolean): Lower[] => (transposeA ? TILES : [...TILES, residentMatmul]);

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu({ adapter: 'software', tuning: false });
});
afterAll(() => gpu.dispose());

type Build = (lower: Lower, inputs: Record<string, Tensor>) => Tensor;

/** The bits of what `build` makes of normal numbers by one kernel. */
async function bitsOf(lower: Lower, shapes: readonly (readonly number[])[], build: Build): Promise<Uint32Array> {
  const named = shapes.map((shape, i) => [`x${i}`, shape] as const);
  const batch = Object.fromEntries(named.map(([name, shape]) => [name, { shape, dtype: 'f32' as const }]));
  using step = await compile(gpu, (_, inputs) => build(lower, inputs), { batch });
  step.run(Object.fromEntries(named.map(([name, shape], i) => [name, normals(sizeOf(shape), i)])));
  const values = await step.read('result');
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

async function checkSameBits(
  { transposeA }: MatmulAttrs,
  shapes: readonly (readonly number[])[],
  build: Build,
): Promise<void> {
  const [first, ...others] = await Promise.all(lowerings(transposeA).map((lower) => bitsOf(lower, shapes, build)));
  expect(first!.some((bits) => bits !== 0)).toBe(true);
  for (const other of others) expect(Buffer.compare(Buffer.from(other.buffer), Buffer.from(first!.buffer))).toBe(0);
}

const lowered = (lower: Lower, attrs: MatmulAttrs, a: Tensor, b: Tensor): Tensor =>
  record1({ ...matmulOp, lower: (args) => [lower(matmulProblem(args))] }, [a, b], attrs);

describe('whatever the kernel, the bits are the same', () => {
  test.each([
    ['A B, odd sizes', false, false, [69, 37, 45]],
    ['A Bt, whole vectors', false, true, [72, 40, 44]],
    ['A Bt, many rows', false, true, [647, 36, 96]],
    ['At B, whole vectors', true, false, [72, 40, 44]],
    ['At Bt, odd sizes', true, true, [69, 37, 45]],
  ] as const)('%s, in batches', async (_, transposeA, transposeB, [M, N, K]) => {
    const shapes = [
      [2, ...(transposeA ? [K, M] : [M, K])],
      [2, ...(transposeB ? [N, K] : [K, N])],
    ];
    const attrs = { transposeA, transposeB };
    await checkSameBits(attrs, shapes, (lower, { x0, x1 }) => lowered(lower, attrs, x0!, x1!));
  });
  test('with one matrix for all batches, a bias, a GELU and a residual', async () => {
    const attrs = { transposeA: false, transposeB: true };
    await checkSameBits(attrs, [[3, 123, 20], [40, 20], [40], [3, 123, 40]], (lower, { x0, x1, x2, x3 }) =>
      add(x3!, gelu(add(lowered(lower, attrs, x0!, x1!), x2!))),
    );
  });
});

describe('the choice of tiles', () => {
  const product = (rows: number) => {
    const batch = { a: { shape: [rows, 512], dtype: 'f32' }, b: { shape: [512, 1024], dtype: 'f32' } } as const;
    const target: Target = { ...defaultTarget, family: 'cpu', subgroupSize: 8 };
    return (tuned: Target['tuned']) => planStep({ ...target, tuned }, {}, (_, { a, b }) => matmul(a, b), { batch });
  };

  test('is one of large products', () => {
    expect(chosenVariants(product(511)({}))).toEqual([]);
    expect(chosenVariants(product(512)({}))).toEqual([
      { key: 'large matmul', variant: 'broadcast 32', candidates: ['broadcast 32', 'broadcast 64'] },
    ]);
  });
  test('is another one where B can be resident: many rows of A, a short k, and enough to compute', () => {
    const chosen = (M: number, K: number, { N = 1024, transposeA = false } = {}) => {
      const batch = {
        a: { shape: transposeA ? [K, M] : [M, K], dtype: 'f32' },
        b: { shape: [K, N], dtype: 'f32' },
      } as const;
      const target: Target = { ...defaultTarget, family: 'cpu', subgroupSize: 8 };
      const plan = planStep(target, {}, (_, { a, b }) => matmul(a, b, { transposeA }), { batch });
      return chosenVariants(plan).map(({ key, candidates }) => [key, ...candidates]);
    };
    expect(chosen(256, 192)).toEqual([['matmul of a short k', 'resident', 'broadcast 32']]);
    for (const other of [
      chosen(255, 192),
      chosen(256, 193),
      chosen(256, 192, { transposeA: true }),
      chosen(256, 96, { N: 512 }),
    ])
      expect(other.flat()).not.toContain('resident');
  });
  test('decides how many workgroups there are', () => {
    const workgroups = (choice: string): number => {
      const [step] = product(512)({ 'large matmul': choice }).steps;
      return step?.kind === 'kernel' ? step.kernel.workgroups[0] : 0;
    };
    expect(workgroups('broadcast 32')).toBe(16 * 32);
    expect(workgroups('broadcast 64')).toBe(8 * 32);
  });
});
