/** Convolution by the kernels of both families: values against plain loops, gradients of both operands, and what is refused. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sizeOf } from '../../base/shape';
import type { Target } from '../../base/target';
import type { Gpu } from '../../device/gpu';
import { openGpu } from '../../node';
import { grad } from '../../passes/grad';
import { interpret } from '../../passes/interpret';
import { type CheckInput, checkOp, normals } from '../../testing';
import * as ops from '../elementwise';
import { sum } from '../reduce';
import { input } from '../sources';
import { type Conv2dOptions, conv2d } from './conv2d';

interface Case {
  readonly x: readonly [B: number, H: number, W: number, C: number];
  readonly weight: readonly [O: number, kh: number, kw: number, C: number];
  readonly options?: Conv2dOptions;
}

const CASES: readonly (readonly [string, Case])[] = [
  ['one tap', { x: [2, 3, 5, 6], weight: [7, 1, 1, 6] }],
  ['one tap, every second pixel', { x: [2, 3, 5, 4], weight: [5, 1, 1, 4], options: { stride: 2 } }],
  ['3x3, as many pixels as before', { x: [2, 5, 7, 8], weight: [12, 3, 3, 8], options: { padding: 1 } }],
  ['3x3, half as many', { x: [1, 9, 8, 4], weight: [6, 3, 3, 4], options: { stride: 2, padding: 1 } }],
  ['single channels', { x: [2, 6, 5, 3], weight: [5, 3, 3, 3], options: { padding: 1 } }],
  ['one channel, one output', { x: [1, 4, 4, 1], weight: [1, 2, 2, 1] }],
  [
    '5x3 taps, unlike strides and paddings',
    { x: [2, 9, 11, 5], weight: [4, 5, 3, 5], options: { stride: [3, 2], padding: [2, 0] } },
  ],
  ['an image smaller than the taps', { x: [1, 2, 1, 4], weight: [3, 5, 3, 4], options: { padding: [2, 1] } }],
  ['pixels that no tap reads', { x: [1, 6, 6, 4], weight: [4, 2, 2, 4], options: { stride: 4 } }],
];

/** What the head of `conv2d.ts` says, in its order. */
function plainLoops(
  { x: [B, H, W, C], weight: [O, kh, kw] }: Case,
  s: readonly number[],
  p: readonly number[],
  x: Float64Array,
  w: Float64Array,
): number[] {
  const out: number[] = [];
  for (let b = 0; b < B; b++)
    for (let y = 0; y * s[0]! + kh <= H + 2 * p[0]!; y++)
      for (let across = 0; across * s[1]! + kw <= W + 2 * p[1]!; across++)
        for (let o = 0; o < O; o++) {
          let value = 0;
          for (let i = 0; i < kh; i++)
            for (let j = 0; j < kw; j++) {
              const [row, column] = [y * s[0]! - p[0]! + i, across * s[1]! - p[1]! + j];
              if (row < 0 || column < 0 || row >= H || column >= W) continue;
              for (let c = 0; c < C; c++)
                value += x[((b * H + row) * W + column) * C + c]! * w[((o * kh + i) * kw + j) * C + c]!;
            }
          out.push(value);
        }
  return out;
}

const both = (value: number | readonly [number, number] = 0): readonly number[] =>
  typeof value === 'number' ? [value, value] : value;

test.each(CASES)('the reference is the sum over taps: %s', (_, own) => {
  const { x, weight, options = {} } = own;
  const y = conv2d(input('x', x), input('w', weight), options);
  const feeds = { x: normals(sizeOf(x), 1), w: normals(sizeOf(weight), 2) };
  const expected = plainLoops(
    own,
    both(options.stride ?? 1),
    both(options.padding),
    Float64Array.from(feeds.x),
    Float64Array.from(feeds.w),
  );
  expect(sizeOf(y.shape)).toBe(expected.length);
  interpret([y], feeds)
    .value(y)
    .data.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 10);
    });
});

const FAMILIES: readonly (readonly [string, Partial<Target>])[] = [
  ['subgroup broadcast', { family: 'cpu' }],
  ['register tiles', { family: 'cpu', subgroupSize: undefined }],
  ['workgroup tiles', { family: 'gpu' }],
];

// Sums of at most 75 products of standard normals, and gradients of as many pixels, round far below the default tolerance.
describe.each(FAMILIES)('conv2d by %s', (_, target) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu({ target });
  });
  afterAll(() => gpu.dispose());

  test.each(CASES)('%s, with gradients', async (_, { x, weight, options }) => {
    await checkOp(gpu, (image, w) => conv2d(image, w, options), [{ shape: x }, { shape: weight }]);
  });
  test('gradients of gradients', async () => {
    const shapes: CheckInput[] = [{ shape: [1, 5, 4, 4] }, { shape: [3, 3, 3, 4] }];
    await checkOp(
      gpu,
      (x, w) => {
        const loss = sum(ops.square(conv2d(x, w, { stride: 2, padding: 1 })));
        const own = grad(loss, { x, w });
        return [own.x, own.w];
      },
      shapes,
      { bitwise: false },
    );
  });
  test('bias, activation and residual join the kernel', async () => {
    await checkOp(
      gpu,
      (x, w, bias, residual) => {
        const before = ops.add(conv2d(x, w, { padding: 1 }), bias);
        return [ops.add(residual, ops.relu(before)), before];
      },
      [{ shape: [2, 5, 3, 8] }, { shape: [8, 3, 3, 8] }, { shape: [8] }, { shape: [2, 5, 3, 8] }],
      { gradient: false },
    );
  });
  test.each([8, 4, 3])('%i channels in f16 are summed in f32', async (channels) => {
    if (!gpu.target.f16) return;
    const inputs = [
      [1, 5, 6, channels],
      [4, 3, 3, channels],
    ].map((shape, i): CheckInput => {
      const values = normals(sizeOf(shape), i).map((value) => Math.round(value * 64) / 64);
      return { shape, dtype: 'f16', values, differentiate: false };
    });
    await checkOp(gpu, (x, w) => conv2d(x, w, { padding: 1 }), inputs, { tolerance: 2 ** -11 });
  });
});
