/** Resizing images, in both families of kernels: sizes up, down and odd, worked examples of each rule, f16, what is refused. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultTarget } from '../base/target';
import { compile, planStep } from '../compile';
import type { Gpu } from '../device/gpu';
import { type OpenGpuOptions, openGpu } from '../node';
import { grad } from '../passes/grad';
import { checkOp } from '../testing';
import { add, mul } from './elementwise';
import { resampleMatrix } from './matmul/resample';
import { sum } from './reduce';
import { type ResizeOptions, resize } from './resize';
import { tapsOf, transposed } from './resize-taps';
import { input } from './sources';

const RULES: Readonly<Record<string, ResizeOptions>> = {
  bilinear: {},
  'bilinear with aligned corners': { alignCorners: true },
  nearest: { filter: 'nearest' },
};
/** From, to: both axes up, down, one of each, from and to one pixel, one axis kept. */
const SIZES = [
  [2, 4, 3, 6],
  [3, 5, 12, 20],
  [7, 5, 3, 2],
  [2, 9, 5, 4],
  [1, 3, 4, 1],
  [5, 3, 1, 7],
  [4, 3, 4, 8],
  [15, 2, 60, 8],
] as const;

const families: [string, OpenGpuOptions][] = [
  ['own kernels', {}],
  ['kernels for GPUs', { target: { family: 'gpu' } }],
];

describe.each(families)('%s', (_, options) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu(options);
  });
  afterAll(() => gpu.dispose());

  test.each(Object.entries(RULES))('%s', async (_, rule) => {
    for (const [H, W, h, w] of SIZES)
      for (const C of [3, 8])
        await checkOp(gpu, (x) => resize(x, [h, w], rule), [{ shape: [2, H, W, C] }], { directions: 4 });
  });
  test('elementwise ops join its kernel', async () => {
    const shapes = [{ shape: [2, 3, 2, 4] }, { shape: [2, 6, 4, 4] }, { shape: [4] }];
    await checkOp(gpu, (x, skip, bias) => add(mul(add(resize(x, [6, 4]), bias), 2), skip), shapes, { directions: 4 });
  });
  test.each(Object.entries(RULES))('%s in f16 is rounded once', async (_, rule) => {
    if (!gpu.target.f16) return;
    await checkOp(gpu, (x) => resize(x, [7, 9], rule), [{ shape: [2, 4, 3, 8], dtype: 'f16' }], {
      // half a unit of 11 bits; gradients here are sums of up to nine values of a few units
      tolerance: 2 ** -11,
      gradientTolerance: 2 ** -9,
    });
  });
});

describe('one row of pixels', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu.dispose());

  const row = async (values: readonly number[], to: number, rule?: ResizeOptions): Promise<number[]> => {
    using step = await compile(gpu, (_, { x }) => ({ y: resize(x, [1, to], rule) }), {
      batch: { x: { shape: [1, 1, values.length, 1], dtype: 'f32' } },
    });
    step.run({ x: values });
    return [...(await step.read('y'))];
  };
  test('bilinear: pixel centres are at halves, and what lies beyond the first and last is these', async () => {
    expect(await row([0, 4, 8], 6)).toEqual([0, 1, 3, 5, 7, 8]);
    // no antialiasing: three of the six are not read
    expect(await row([0, 1, 2, 3, 4, 5], 2)).toEqual([1, 4]);
  });
  test('aligned corners: first and last stay, a single one is the first', async () => {
    expect(await row([0, 4, 8], 5, { alignCorners: true })).toEqual([0, 2, 4, 6, 8]);
    expect(await row([3, 4, 8], 1, { alignCorners: true })).toEqual([3]);
    const [fine, coarse] = [240, 60].map((n) => Array.from({ length: n }, (_, i) => i / (n - 1)));
    const upsampled = await row(coarse!, 240, { alignCorners: true });
    // a ramp stays the same ramp, to a few roundings in f32
    expect(Math.max(...upsampled.map((value, i) => Math.abs(value - fine![i]!)))).toBeLessThan(2 ** -22);
  });
  test('nearest: the whole part of i H / h', async () => {
    expect(await row([0, 1, 2], 6, { filter: 'nearest' })).toEqual([0, 0, 1, 1, 2, 2]);
    expect(await row([0, 1, 2, 3, 4, 5, 6], 3, { filter: 'nearest' })).toEqual([0, 2, 4]);
    expect(await row([0, 1, 2, 3], 5, { filter: 'nearest' })).toEqual([0, 0, 1, 2, 3]);
  });
  test('an infinite pixel is seen by those outputs alone that read it', async () => {
    expect(await row([1, 1, Number.POSITIVE_INFINITY], 5, { alignCorners: true })).toEqual([
      1,
      1,
      1,
      Infinity,
      Infinity,
    ]);
  });
});

test('bilinear taps are the matrices of resample, and transposed twice they are themselves', () => {
  for (let from = 1; from <= 9; from++)
    for (let to = 1; to <= 9; to++) {
      const taps = tapsOf(from, to, 'half-pixel');
      const matrix = new Float64Array(to * from);
      taps.outputs.forEach(({ first, weights }, i) => {
        matrix.set(weights, i * from + first);
      });
      const expected = resampleMatrix(from, to, 'bilinear');
      for (const [i, value] of matrix.entries()) expect(value).toBeCloseTo(expected[i]!, 12);
      expect(transposed(transposed(taps))).toEqual(taps);
    }
});

test('the same size is the same tensor, for every rule', () => {
  const x = input('x', [2, 3, 4, 5]);
  for (const rule of Object.values(RULES)) expect(resize(x, [3, 4], rule)).toBe(x);
});

test('forward and backward are one kernel each', () => {
  const plan = planStep(
    defaultTarget,
    {},
    (_, { x, g }) => {
      const y = add(resize(x, [60, 60]), 1);
      return { y, dx: grad(sum(mul(y, g)), { x }).x };
    },
    { batch: { x: { shape: [2, 15, 15, 8], dtype: 'f32' }, g: { shape: [2, 60, 60, 8], dtype: 'f32' } } },
  );
  const labels = plan.steps.map((step) => (step.kind === 'kernel' ? step.kernel.label : step.kind));
  expect(labels.filter((label) => label.startsWith('resize'))).toEqual(['resize+add', 'resize']);
});

test.each([
  [[3, 4, 5], [2, 2], {}, /resize: needs images \[B, H, W, C\] with pixels, got \[3, 4, 5\]/],
  [[1, 0, 5, 2], [2, 2], {}, /needs images/],
  [[1, 4, 5, 2], [2, 0], {}, /size \[2, 0\] is no \[rows, columns\] of positive whole numbers/],
  [[1, 4, 5, 2], [2.5, 2], {}, /size \[2.5, 2\]/],
  [[1, 4, 5, 2], [2], {}, /size \[2\]/],
  [[1, 4, 5, 2], 2, {}, /size is 2; give a list/],
  [[1, 4, 5, 2], [2, 2], { align_corners: true }, /there is no option "align_corners", it is called alignCorners/],
  [[1, 4, 5, 2], [2, 2], { filter: 'bicubic' }, /filter is "bicubic"; it must be one of bilinear, nearest/],
  [[1, 4, 5, 2], [2, 2], { filter: 'nearest', alignCorners: true }, /alignCorners is of the bilinear filter/],
] as const)('%j to %j with %j is refused', (shape, size, options, message) => {
  expect(() => resize(input('x', shape), size as never, options as never)).toThrow(message);
});
test('whole numbers are refused', () => {
  expect(() => resize(input('x', [1, 2, 2, 1], 'u32'), [4, 4])).toThrow(/resize: needs floats, got u32/);
});
