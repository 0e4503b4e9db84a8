import { f16round } from '@petamoriken/float16';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { listedMatrices, type SubgroupMatrixConfig, type Target } from '../../base/target';
import { planStep } from '../../compile';
import type { Gpu } from '../../device/gpu';
import type { Kernel } from '../../graph/op';
import { openGpu } from '../../node';
import { grad } from '../../passes/grad';
import type { Plan } from '../../plan/plan-types';
import { type CheckOptions, checkOp, normals } from '../../testing';
import { openMatrixGpu } from '../../testing/matrix-gpu';
import { compileKernels, PAPER_ADAPTERS } from '../../testing/paper-adapters';
import { cast } from '../elementwise';
import { sum } from '../reduce';
import { attention, segmentAttention } from './attention';

describe('attention on subgroup matrices', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openMatrixGpu();
  });
  afterAll(() => gpu.dispose());

  // Everything that is rounded to f16 errs by 2^-11 of itself. Forward these are the weights, whose average of |v| is about 1, and the output:
  // together 2^-10 of max(1, |o|). Backward: the gradient that arrives, the output that delta is made of, the weights or dS, and the result: 2^-9.
  const check = (
    [B, N, H, d]: readonly [B: number, N: number, H: number, d: number],
    options: CheckOptions = {},
    values: ArrayLike<number> = normals(B * N * 3 * H * d),
  ) =>
    checkOp(
      gpu,
      (qkv) => attention(qkv, H),
      [{ shape: [B, N, 3 * H * d], dtype: 'f16', values: Float32Array.from(values, f16round) }],
      { tolerance: 2 ** -10, gradientTolerance: 2 ** -9, directions: 1, ...options },
    );
  /** All is run where matrices are the adapter's own. Emulated, each of these kernels takes the driver's compiler seconds to a minute. */
  const skip = ({ skip: skipIf }: TestContext, isEmulated = false): void => {
    skipIf(gpu.target.subgroupMatrices.length === 0, 'the adapter has no f16 or no subgroups');
    skipIf(!isEmulated && listedMatrices(gpu.adapterInfo).length === 0, 'the adapter has no subgroup matrices');
  };

  const SMALL = [1, 17, 1, 16] as const;
  test.for([
    ['one token', [1, 1, 1, 16]],
    ['fewer tokens than a matrix has rows', [2, 3, 2, 16]],
    ['whole matrices', [1, 16, 1, 16]],
    ['one token past whole matrices', SMALL],
    ['one step of columns', [1, 32, 1, 16]],
    ['one token past a step of columns', [2, 33, 2, 48]],
    ['the length of a 98-pixel crop', [2, 50, 3, 64]],
    ['whole tiles of rows', [1, 64, 1, 16]],
    ['one token past them', [1, 65, 1, 16]],
    ['a length of 257', [1, 257, 1, 64]],
  ] as const)('%s', async ([, shape], context) => {
    skip(context, shape === SMALL);
    await check(shape);
  });

  test('segments of images of two sizes', async (context) => {
    skip(context);
    const segments = [
      { B: 2, N: 5 },
      { B: 1, N: 18 },
    ];
    const values = Float32Array.from(normals(28 * 96), f16round);
    await checkOp(gpu, (qkv) => segmentAttention(qkv, 2, segments), [{ shape: [28, 96], dtype: 'f16', values }], {
      tolerance: 2 ** -10,
      gradientTolerance: 2 ** -9,
      directions: 1,
    });
  });

  test('heads of 128', async (context) => {
    skip(context);
    // the gradient's kernels take minutes to compile in software
    await check([1, 67, 2, 128], { gradient: false });
  });

  test('logits of 10,000 and more, whose maxima grow from step to step', async (context) => {
    skip(context);
    // Integers, so that logits are exact, larger from token to token. The log-sum-exp rounds by 2^-11 of 1, at 1e4, and the weights by as much.
    const values = normals(67 * 48, 7).map((value, i) => Math.round(i % 48 < 32 ? value * (30 + i / 48) : value));
    await check([1, 67, 1, 16], { gradientTolerance: 3e-3, differenceTolerance: Infinity }, values);
  });
});

describe('on paper', () => {
  const large = PAPER_ADAPTERS.at(-1)!;
  const planOf = (target: Target, N: number, d: number): Plan =>
    planStep(target, {}, (_, { qkv }) => grad(sum(cast(attention(qkv, 2), 'f32')), [qkv])[0], {
      batch: { qkv: { shape: [2, N, 6 * d], dtype: 'f16' } },
    });
  const kernelsOf = ({ steps }: Plan): Kernel[] =>
    steps.flatMap((step) => (step.kind === 'kernel' && step.kernel.label.startsWith('attention') ? [step.kernel] : []));

  test.each([
    { M: 16, N: 16, K: 16 },
    { M: 16, N: 8, K: 16 },
    { M: 16, N: 8, K: 8 },
    { M: 8, N: 8, K: 8 },
  ])('kernels for $M x $N x $K compile without a message', async (config: SubgroupMatrixConfig) => {
    const gpu = await openGpu({ adapter: 'null' });
    const target = { ...large, subgroupMatrices: [config] };
    for (const N of [17, 257])
      for (const d of [16, 64, 128]) {
        const plan = planOf(target, N, d);
        expect(await compileKernels(gpu, plan)).toEqual([]);
        expect(kernelsOf(plan).filter(({ kind }) => kind.startsWith('matrix')).length).toBe(3);
      }
    await gpu.dispose();
  });

  test('a step is two barriers, and the tokens of columns move 16 bytes at a time', () => {
    const [forward, , queries, keys] = kernelsOf(planOf(large, 257, 64)) as [Kernel, Kernel, Kernel, Kernel];
    const stepOf = ({ wgsl }: Kernel): string => /for \(var column0.*?\n {2}\}\n/s.exec(wgsl)![0];
    const barriersOf = (text: string): number => text.split('workgroupBarrier();').length - 1;
    expect([queries, keys].map(stepOf).map(barriersOf)).toEqual([2, 2]);
    // forward the second one is part of a load, after which sums are rescaled where they have to be
    const [always] = stepOf(forward).split('let rescale = workgroupUniformLoad');
    expect(barriersOf(always!)).toBe(1);
    for (const { wgsl } of [forward, queries, keys]) expect(wgsl).toContain('tokens: array<vec4<u32>');
    expect([forward, queries, keys].map(({ flops }) => flops / (4 * 257 * 257 * 64 * 2))).toEqual([2, 3, 4]);
  });

  test('heads that no matrix divides, or whose tiles do not fit, are left to the other kernels', () => {
    const kinds = (target: Target, d: number): boolean[] =>
      kernelsOf(planOf(target, 50, d)).map(({ kind }) => kind.startsWith('matrix'));
    expect(kinds(large, 20)).not.toContain(true);
    expect(kinds({ ...large, maxWorkgroupBytes: 16384 }, 128)).not.toContain(true);
    expect(kinds({ ...large, subgroupMatrices: [] }, 64)).not.toContain(true);
  });
});
