/** Every family of ops at the sizes that break kernels: one element, none, more workgroups than one dimension of a grid takes, f16, integers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DType } from '../base/dtype';
import { toUniform, wordOf } from '../base/philox';
import { compile } from '../compile';
import type { Gpu } from '../device/gpu';
import type { Tensor } from '../graph/op';
import { openGpu } from '../node';
import { grad } from '../passes/grad';
import { interpret } from '../passes/interpret';
import type { TensorTree } from '../step';
import { checkOp, normals } from '../testing';
import { ELEMENTWISE_CASES } from '../testing/elementwise-cases';
import { concat } from './concat';
import * as e from './elementwise';
import { gatherRows, scatterAddRows } from './gather';
import { matmul } from './matmul/matmul';
import { patchify } from './patchify';
import { randomUniform } from './random';
import { broadcastTo, sum } from './reduce';
import { l2Normalise } from './rows/l2-normalise';
import { layerNorm } from './rows/layer-norm';
import { logSumExp } from './rows/log-sum-exp';
import { softmax } from './rows/softmax';
import { topK } from './rows/top-k';
import { pad, sliceAxis } from './slice';
import { input } from './sources';
import { transpose } from './transpose';
import { reshape } from './views';

let gpu: Gpu;
/** The GPU family's kernels, whose grids are the largest: one thread an element. */
let wide: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
  wide = await openGpu({ target: { family: 'gpu' } });
});
afterAll(async () => {
  await gpu.dispose();
  await wide.dispose();
});

async function runOnce(
  own: Gpu,
  build: (x: Tensor) => TensorTree,
  shape: number[],
  x: ArrayLike<number>,
  dtype: DType = 'f32',
) {
  using step = await compile(own, (_, batch) => build(batch.x), { batch: { x: { shape, dtype } } });
  step.run({ x });
  return Promise.all(Object.keys(step.plan.outputs).map((name) => step.read(name)));
}

describe('values at the ends of the range', () => {
  test('finite tells infinities and NaN, whatever a compiler may assume', async () => {
    const values = [1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -3e38, 0];
    await checkOp(gpu, (x) => e.finite(x), [{ shape: [6], values }], { gradient: false, tolerance: 0 });
  });
  test('tanh, sigmoid, silu and gelu saturate without overflow', async () => {
    const values = [-1e4, -100, -30, 30, 100, 1e4];
    const ops = [e.tanh, e.sigmoid, e.silu, e.gelu];
    await checkOp(gpu, (x) => ops.map((op) => op(x)), [{ shape: [6], values }], { gradient: false });
  });
});

describe('comparisons and integers', () => {
  const ofIntegers = Object.values(ELEMENTWISE_CASES).filter(({ integers }) => integers);
  const comparisons = ofIntegers.filter(({ gradient }) => gradient === false);
  const arithmetic = ofIntegers.filter(({ gradient }) => gradient !== false);
  test.each(['f32', 'i32', 'u32'] as const)('comparisons of %s broadcast', async (dtype) => {
    const [a, b] = [
      { shape: [3, 1, 2], dtype, values: [0, 1, 2, 3, 4, 5] },
      { shape: [7, 1], dtype, values: [0, 5, 1, 4, 2, 3, 9] },
    ];
    await checkOp(gpu, (x, y) => comparisons.flatMap(({ build }) => build(x, y)), [a, b], {
      gradient: false,
      tolerance: 0,
    });
  });
  test('integer arithmetic wraps and truncates as the reference does', async () => {
    const run = (dtype: 'i32' | 'u32', a: number[], b: number[]) => {
      const build = (x: Tensor, y: Tensor) => arithmetic.flatMap((op) => op.build(x, y));
      const [x, y] = [input('x', [a.length], dtype), input('y', [a.length], dtype)];
      const outputs = build(x, y);
      const reference = interpret(outputs, { x: a, y: b });
      return { build, expected: outputs.map((output) => Array.from(reference.value(output).data)) };
    };
    for (const [dtype, a, b] of [
      ['i32', [7, -7, 2147483647, -2147483648, 123456789, 5], [2, 2, 1, 2, 987654321, 0]],
      ['u32', [7, 0, 4294967295, 4000000000, 123456789, 5], [2, 1, 1, 4000000000, 987654321, 0]],
    ] as const) {
      const { build, expected } = run(dtype, [...a], [...b]);
      const spec = { shape: [a.length], dtype };
      using step = await compile(gpu, (_, { x, y }) => ({ out: build(x, y) }), { batch: { x: spec, y: spec } });
      step.run({ x: a, y: b });
      for (const [i, list] of expected.entries()) expect(Array.from(await step.read(`out.${i}`))).toEqual(list);
    }
  });
  test('casts cut floats to the range of integers and wrap integers', async () => {
    const values = [2.9, -2.9, 3e9, -3e9, 5e9, 0];
    await checkOp(gpu, (x) => [e.cast(x, 'i32'), e.cast(x, 'u32')], [{ shape: [6], values }], {
      gradient: false,
      tolerance: 0,
    });
    const [out] = await runOnce(gpu, (x) => e.cast(x, 'u32'), [2], [-1, 5], 'i32');
    expect(Array.from(out!)).toEqual([4294967295, 5]);
    expect(() => e.mul(input('x', [2], 'i32'), 2.5)).toThrow(/literal: 2\.5 is no i32; cast the other operand/);
    expect(() => e.add(input('x', [2]), 1e39)).toThrow(/literal: 1e\+39 is not finite in f32/);
  });
});

test('f16 rounds to nearest even, stored or within a kernel', async (context) => {
  context.skip(!gpu.target.f16, 'the adapter has no f16');
  const ulp = 2 ** -10;
  const values = [1 + ulp / 2, 1 + (3 * ulp) / 2, 1 + ulp / 2 + 2 ** -20, -(1 + ulp / 2), 2049, 2051, 65504, 2 ** -14];
  const expected = [1, 1 + 2 * ulp, 1 + ulp, -1, 2048, 2052, 65504, 2 ** -14];
  const [stored, within] = await runOnce(
    gpu,
    (x) => [e.cast(x, 'f16'), e.mul(e.cast(e.cast(x, 'f16'), 'f32'), 1)],
    [8],
    values,
  );
  expect(Array.from(stored!)).toEqual(expected);
  expect(Array.from(within!)).toEqual(expected);
});

test('rows in f16 are normalised in f32', async (context) => {
  context.skip(!gpu.target.f16, 'the adapter has no f16');
  // values of 1000 +- 1 with steps of 0.5: squares would overflow f16, and their mean would not fit
  const values = Float64Array.from({ length: 2 * 66 }, (_, i) => 1000 + ((i * 7) % 5) / 2 - 1);
  const half = { shape: [2, 66], dtype: 'f16' as const, values };
  await checkOp(
    gpu,
    (x, w, b) => [layerNorm(x, w, b), softmax(x), l2Normalise(x), topK(x, 3).values].map((y) => e.cast(y, 'f32')),
    [half, { shape: [66], values: normals(66) }, { shape: [66] }],
    // results are rounded to 11 bits
    { tolerance: 2 ** -10, gradient: false },
  );
});

describe('one element', () => {
  test.each([[[1]], [[1, 1]], [[1, 1, 1]]])('through every family, %j', async (shape) => {
    await checkOp(gpu, (x) => [e.gelu(x), sum(x), broadcastTo(x, [3, ...shape]), concat([x, x])], [{ shape }]);
    await checkOp(gpu, (x) => [softmax(x), logSumExp(x, [-1]), pad(x, shape, shape, 2)], [{ shape }]);
  });
  test('rows of one column', async () => {
    const row = { shape: [5, 1] };
    await checkOp(gpu, (x, w, b) => layerNorm(x, w, b), [row, { shape: [1] }, { shape: [1] }], {
      // x - mean is 0 and eps alone sets the slope: finite differences see 1 / sqrt(eps) times rounding
      gradient: false,
    });
    await checkOp(gpu, (x) => [l2Normalise(x), topK(x, 1).values], [row], { differenceTolerance: 1e-3 });
  });
});

describe('no elements', () => {
  const nothing: readonly [string, (x: Tensor) => Tensor][] = [
    ['elementwise', (x) => e.gelu(e.add(x, 1))],
    ['transpose', (x) => transpose(x)],
    ['reshape', (x) => reshape(x, [3, 0, 2])],
    ['slice', (x) => sliceAxis(x, 1, 1, 2)],
    ['concat', (x) => concat([x, x], 1)],
    ['softmax', (x) => softmax(x)],
    ['top-k', (x) => topK(x, 2).values],
    ['matmul', (x) => matmul(x, x, { transposeB: true })],
    ['broadcast', (x) => broadcastTo(reshape(x, [1, 0, 6]), [4, 0, 6])],
  ];
  test.each(nothing)('%s of [0, 6] is empty', async (_, op) => {
    const [out] = await runOnce(gpu, op, [0, 6], []);
    expect(out).toHaveLength(0);
  });
  test('a loss over no rows is zero, and so are its gradients', async () => {
    using step = await compile(
      gpu,
      (_, { x, w, gain, bias }) => {
        const loss = sum(layerNorm(matmul(x, w), gain, bias));
        return { loss, grads: grad(loss, { w, gain, bias }) };
      },
      {
        batch: {
          x: { shape: [0, 6], dtype: 'f32' },
          w: { shape: [6, 5], dtype: 'f32' },
          gain: { shape: [5], dtype: 'f32' },
          bias: { shape: [5], dtype: 'f32' },
        },
      },
    );
    step.run({ x: [], w: normals(30), gain: normals(5), bias: normals(5) });
    expect((await step.read('loss'))[0]).toBe(0);
    expect(Array.from(await step.read('grads.w'))).toEqual(new Array(30).fill(0));
    expect(Array.from(await step.read('grads.gain'))).toEqual(new Array(5).fill(0));
  });
  test('gathering nothing is nothing, scattering nothing is zero, gathering from nothing is refused', async () => {
    using step = await compile(
      gpu,
      (_, { x, none }) => ({ gathered: gatherRows(x, none), scattered: scatterAddRows(gatherRows(x, none), none, 2) }),
      { batch: { x: { shape: [3, 4], dtype: 'f32' }, none: { shape: [0], dtype: 'u32' } } },
    );
    step.run({ x: normals(12), none: [] });
    expect(await step.read('gathered')).toHaveLength(0);
    expect(Array.from(await step.read('scattered'))).toEqual(new Array(8).fill(0));
    expect(() => gatherRows(input('x', [0, 4]), input('i', [2], 'u32'))).toThrow(
      /gatherRows: there are no rows in \[0, 4\]/,
    );
  });
});

describe('indices', () => {
  test.each(['u32', 'i32'] as const)('rows by %s', async (dtype) => {
    const indices = { shape: [5], dtype, values: [4, 0, 4, 2, 1] };
    for (const columns of [1, 3, 8]) {
      await checkOp(gpu, (x, i) => gatherRows(x, i), [{ shape: [5, columns] }, indices], { tolerance: 1e-6 });
      await checkOp(gpu, (x, i) => scatterAddRows(x, i, 7), [{ shape: [5, columns] }, indices], { tolerance: 1e-6 });
    }
  });
});

test('patches of one pixel and of the whole image', async () => {
  for (const patch of [1, 4])
    await checkOp(gpu, (x) => patchify(x, patch), [{ shape: [2, 3, 4, 4] }], {
      tolerance: 0,
      gradientTolerance: 1e-6,
    });
});

describe('more workgroups than one dimension of a grid', () => {
  // 64 threads a workgroup, one element a thread: 65,535 workgroups cover 4,194,240 elements
  const n = 65_537 * 64 + 3;
  const x = Float32Array.from({ length: n }, (_, i) => i % 8191);
  const wrong = (values: ArrayLike<number>, expected: (i: number) => number) =>
    Array.from({ length: n }, (_, i) => i).findIndex((i) => values[i] !== expected(i));
  test('elementwise', async () => {
    const [out] = await runOnce(wide, (t) => e.add(t, 1), [n], x);
    expect(wrong(out!, (i) => x[i]! + 1)).toBe(-1);
  });
  test('moves', async () => {
    const [out] = await runOnce(wide, (t) => reshape(transpose(reshape(t, [1, n])), [n]), [n], x);
    expect(wrong(out!, (i) => x[i]!)).toBe(-1);
  });
  test('a row each', async () => {
    const rows = 65_539;
    const values = Float32Array.from({ length: rows * 2 }, (_, i) => (i % 2 === 0 ? 0 : Math.log((i % 5) + 1)));
    const [out] = await runOnce(wide, softmax, [rows, 2], values);
    const worst = values.reduce((most, _, i) => {
      const [a, b] = [values[i - (i % 2)]!, values[i - (i % 2) + 1]!];
      return Math.max(most, Math.abs(out![i]! - Math.exp(values[i]!) / (Math.exp(a) + Math.exp(b))));
    }, 0);
    expect(worst).toBeLessThan(1e-6);
  });
  test('random numbers', async () => {
    const count = 65_537 * 256 + 5;
    using step = await compile(
      wide,
      (_, { seed }) => ({ tail: sliceAxis(randomUniform(seed, [count], 1), 0, count - 9, count) }),
      { batch: { seed: { shape: [2], dtype: 'u32' } } },
    );
    step.run({ seed: [1, 2] });
    const expected = Array.from({ length: 9 }, (_, i) => toUniform(wordOf([1, 2], 1, count - 9 + i)));
    expect(Array.from(await step.read('tail'))).toEqual(expected);
  });
});
