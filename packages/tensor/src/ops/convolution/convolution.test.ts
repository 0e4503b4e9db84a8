/** Convolution by the kernels of both families: values against plain loops, gradients of both operands, and what is refused. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TensorError } from '../../base/errors';
import { sizeOf } from '../../base/shape';
import { defaultTarget, type Target } from '../../base/target';
import { compile, planStep } from '../../compile';
import type { Gpu } from '../../device/gpu';
import { type LowerArgs, spec, type Tensor } from '../../graph/op';
import { record1 } from '../../graph/record';
import { storeRoot } from '../../kernels/elementwise-program';
import { openGpu } from '../../node';
import { grad } from '../../passes/grad';
import { interpret } from '../../passes/interpret';
import { type CheckInput, checkOp, normals } from '../../testing';
import { openMatrixGpu } from '../../testing/matrix-gpu';
import * as ops from '../elementwise';
import { residentMatmul } from '../matmul/resident';
import { matrixMatmul } from '../matmul/subgroup-matrix';
import { sum } from '../reduce';
import { constant, input } from '../sources';
import { type Conv2dOptions, conv2d } from './conv2d';
import { convolutionOp, convolutionProblem, type WindowAttrs, weightOp, weightProblem } from './window-product';

interface Case {
  readonly x: readonly [B: number, H: number, W: number, C: number];
  readonly weight: readonly [O: number, kh: number, kw: number, C: number];
  readonly options?: Conv2dOptions;
}

// Eight outputs at most and at least 17 pixels where they can be, so that few kernels serve all cases.
const CASES: readonly (readonly [string, Case])[] = [
  ['3x3, as many pixels as before', { x: [2, 5, 7, 8], weight: [4, 3, 3, 8], options: { padding: 1 } }],
  ['3x3, half as many', { x: [1, 9, 8, 4], weight: [8, 3, 3, 4], options: { stride: 2, padding: 1 } }],
  [
    'single channels, 5x3 taps, unlike strides and paddings',
    { x: [2, 9, 11, 5], weight: [3, 5, 3, 5], options: { stride: [3, 2], padding: [2, 0] } },
  ],
  ['one tap', { x: [2, 3, 5, 8], weight: [4, 1, 1, 8] }],
  ['one tap, every second pixel, one image', { x: [1, 9, 11, 4], weight: [4, 1, 1, 4], options: { stride: 2 } }],
  ['an image smaller than the taps', { x: [3, 2, 1, 4], weight: [4, 5, 3, 4], options: { padding: [4, 2] } }],
  ['pixels that no tap reads', { x: [2, 10, 10, 4], weight: [4, 2, 2, 4], options: { stride: 4 } }],
];

/** Multiples of 1/64 are exact in f16, and their products and sums in f32; the result is stored as f16, rounded to nearest. */
const half = (shape: readonly number[], seed: number): CheckInput => ({
  shape,
  dtype: 'f16',
  values: normals(sizeOf(shape), seed).map((value) => Math.round(value * 64) / 64),
  differentiate: false,
});

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

test('gradients of gradients are those of differences', () => {
  const [shapeX, shapeW] = [
    [2, 5, 4, 2],
    [2, 3, 3, 2],
  ];
  const [x, w] = [input('x', shapeX), input('w', shapeW)];
  const feeds = { x: Float64Array.from(normals(80, 1)), w: Float64Array.from(normals(36, 2)) };
  const first = grad(sum(ops.square(conv2d(x, w, { stride: 2, padding: 1 }))), { x, w });
  // a number that depends on both gradients
  const value = ops.add(
    sum(ops.mul(first.x, constant(normals(80, 3), shapeX))),
    sum(ops.mul(first.w, constant(normals(36, 4), shapeW))),
  );
  const second = grad(value, { x, w });
  const at = (own: typeof feeds): number => interpret([value], own).value(value).data[0]!;
  for (const name of ['x', 'w'] as const)
    for (const i of [0, 7, 22, 35]) {
      const moved = (by: number) => ({ ...feeds, [name]: feeds[name].map((v, j) => (j === i ? v + by : v)) });
      // `value` is at most quadratic in one element, so that differences of any size are exact
      const difference = (at(moved(0.5)) - at(moved(-0.5))) / 1;
      expect(interpret([second[name]], feeds).value(second[name]).data[i]).toBeCloseTo(difference, 8);
    }
});

test('single elements in f64, which measured kernels are checked by, are those of the reference', () => {
  const target: Target = { ...defaultTarget, family: 'gpu' };
  const feeds = { x: normals(2 * 6 * 5 * 3, 1), w: normals(4 * 27, 2) };
  const plan = planStep(
    target,
    {},
    (_, { x, w }) => {
      const y = conv2d(x, w, { stride: 2, padding: 1 });
      return { y, grads: grad(sum(ops.square(y)), [x, w]) };
    },
    { batch: { x: spec([2, 6, 5, 3]), w: spec([4, 3, 3, 3]) } },
  );
  const nodes = plan.nodes.filter(({ op }) => op === convolutionOp || op === weightOp);
  expect(nodes).toHaveLength(3);
  const values = interpret(
    nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]),
    feeds,
  );
  for (const { op, inputs, outputs, attrs } of nodes) {
    const { element } = op.variants!({ inputs, outputs, attrs, target, epilogue: storeRoot(outputs[0]!) });
    const operands = inputs.map((input) => (i: number) => values.value(input).data[i]!);
    values.value(outputs[0]!).data.forEach((value, i) => {
      expect(element!(operands, i)).toBeCloseTo(value, 10);
    });
  }
});

/** With how many of the first cases: tiles in registers load as those in workgroup memory do. */
const FAMILIES: readonly (readonly [string, Partial<Target>, number])[] = [
  ['subgroup broadcast', { family: 'cpu' }, 3],
  ['register tiles', { family: 'cpu', subgroupSize: undefined }, 1],
  ['workgroup tiles', { family: 'gpu' }, 3],
];

// Sums of at most 75 products of standard normals, and gradients of as many pixels, round far below the default tolerance.
describe.each(FAMILIES)('conv2d by %s', (_, target, count) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu({ target });
  });
  afterAll(() => gpu.dispose());

  // kernels for vectors and for single channels; the gradients of strides spread theirs
  test.each(CASES.slice(0, count))('%s, with gradients', async (_, { x, weight, options }) => {
    await checkOp(gpu, (image, w) => conv2d(image, w, options), [{ shape: x }, { shape: weight }]);
  });
});

describe('conv2d', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu.dispose());

  test.each(CASES.slice(3))('%s, with gradients', async (_, { x, weight, options }) => {
    await checkOp(gpu, (image, w) => conv2d(image, w, options), [{ shape: x }, { shape: weight }]);
  });
  test('takes bias, activation and residual into its kernel', async () => {
    const block = (x: Tensor, w: Tensor, bias: Tensor, residual: Tensor): Tensor[] => {
      const before = ops.add(conv2d(x, w, { padding: 1 }), bias);
      return [ops.add(residual, ops.relu(before)), before];
    };
    const shapes = [[2, 5, 3, 8], [8, 3, 3, 8], [8], [2, 5, 3, 8]];
    await checkOp(
      gpu,
      block,
      shapes.map((shape) => ({ shape })),
      { gradient: false },
    );
    using step = await compile(gpu, (_, { x, w }) => ops.relu(conv2d(x, w)), {
      batch: { x: spec([1, 9, 9, 4]), w: spec([4, 3, 3, 4]) },
    });
    expect(step.plan.steps).toHaveLength(1);
  });
  test('keeps a short weight by its lanes', async () => {
    const op = {
      ...convolutionOp,
      lower: (args: LowerArgs<WindowAttrs>) => [residentMatmul(convolutionProblem(args))],
    };
    const [image, grid] = [
      [2, 6, 5, 4],
      [5, 4],
    ] as const;
    const window = { image, grid, taps: [2, 2], stride: [1, 1], spread: [1, 1], step: 1, padding: [0, 0] } as const;
    await checkOp(gpu, (x, w) => record1(op, [x, w], { window }), [{ shape: image }, { shape: [8, 2, 2, 4] }], {
      gradient: false,
    });
  });
  test('sums f16 in f32', async (context) => {
    context.skip(!gpu.target.f16, 'the adapter has no f16');
    const inputs = [half([1, 5, 6, 4], 1), half([4, 3, 3, 4], 2)];
    await checkOp(gpu, (x, w) => conv2d(x, w, { padding: 1 }), inputs, { tolerance: 2 ** -11 });
  });
  test('of no images is empty, and has a weight gradient of zeros', async () => {
    using step = await compile(
      gpu,
      (_, { x, w }) => {
        const y = conv2d(x, w, { padding: 1 });
        return { y, w: grad(sum(y), [w])[0]! };
      },
      { batch: { x: spec([0, 4, 4, 4]), w: spec([4, 3, 3, 4]) } },
    );
    step.run({ x: [], w: normals(144) });
    expect(await step.read('y')).toHaveLength(0);
    expect(Array.from(await step.read('w'))).toEqual(new Array(144).fill(0));
  });
});

describe('conv2d on subgroup matrices', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openMatrixGpu();
  });
  afterAll(() => gpu.dispose());

  // each reads halves by other widths, along k forward and along the free dimension for the weight
  test.each([
    [8, 'forward'],
    [8, 'weight'],
    [4, 'forward'],
    [3, 'weight'],
  ] as const)('%i channels, %s', async (channels, what) => {
    const [config] = gpu.target.subgroupMatrices;
    if (!config) return;
    const tile = { config, subgroupRows: 1, subgroupColumns: 1, blockRows: 1, blockColumns: 1, depth: 16 };
    const image = [2, 5, 6, channels];
    const window = {
      image,
      grid: [3, 3],
      taps: [3, 3],
      stride: [2, 2],
      spread: [1, 1],
      step: 1,
      padding: [1, 1],
    } as const;
    const [op, other] =
      what === 'forward'
        ? [
            {
              ...convolutionOp,
              lower: (args: LowerArgs<WindowAttrs>) => [matrixMatmul(convolutionProblem(args), tile)],
            },
            [5, 3, 3, channels],
          ]
        : [
            { ...weightOp, lower: (args: LowerArgs<WindowAttrs>) => [matrixMatmul(weightProblem(args), tile)] },
            [2, 3, 3, 5],
          ];
    const inputs = (x: Tensor, y: Tensor): Tensor[] => (what === 'forward' ? [x, y] : [y, x]);
    await checkOp(gpu, (x, y) => record1(op, inputs(x, y), { window }), [half(image, 1), half(other, 2)], {
      tolerance: 2 ** -11,
    });
  });
});

describe('conv2d refuses', () => {
  const x = input('x', [2, 4, 5, 3]);
  const w = input('w', [6, 3, 3, 3]);
  test.each([
    ['another rank', () => conv2d(input('x', [4, 5, 3]), w), /needs images \[B, H, W, C\] .* got \[4, 5, 3\]/],
    ['unlike channels', () => conv2d(x, input('w', [6, 3, 3, 4])), /3 channels of images .* and 4 of the weight/],
    ['unlike types', () => conv2d(x, input('w', [6, 3, 3, 3], 'f16')), /one float type, got f32 and f16/],
    [
      'a kernel larger than the image',
      () => conv2d(x, input('w', [6, 7, 3, 3]), { padding: 1 }),
      /smaller than the kernel/,
    ],
    ['no pixels', () => conv2d(input('x', [2, 0, 5, 3]), w, { padding: 2 }), /no pixels/],
    ['a stride of zero', () => conv2d(x, w, { stride: 0 }), /stride is 0; give a whole number of at least 1/],
    ['half a stride', () => conv2d(x, w, { stride: [1, 0.5] }), /stride is \[1, 0.5\]/],
    ['a negative padding', () => conv2d(x, w, { padding: -1 }), /padding is -1/],
    ['three strides', () => conv2d(x, w, { stride: [1, 1, 1] as never }), /or two, of rows and columns/],
    ['a misspelt option', () => conv2d(x, w, { strides: 2 } as never), /no option "strides"/],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(TensorError);
    expect(call).toThrow(message);
  });
});
