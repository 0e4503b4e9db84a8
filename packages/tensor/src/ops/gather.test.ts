/** Gathering and scattering rows, for both families of kernels: what joins their kernels, and lists that repeat, leave out, or are long. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultTarget } from '../base/target';
import { compile, planStep } from '../compile';
import type { Gpu } from '../device/gpu';
import { spec } from '../graph/op';
import { type OpenGpuOptions, openGpu } from '../node';
import { checkOp, normals } from '../testing';
import { add, mul, sub } from './elementwise';
import { gatherRows, rowPositions, scatterAddRows } from './gather';
import { constant, input } from './sources';

const targets: [string, OpenGpuOptions][] = [
  ['subgroup per row', {}],
  ['workgroup tree, GPU family', { target: { family: 'gpu', subgroupSize: undefined } }],
];
const LONG = Array.from({ length: 1100 }, (_, i) => (i * 37) % 53);
const LISTS: Readonly<Record<string, readonly number[]>> = {
  'one row': [3],
  'each once': [4, 0, 2],
  'some twice': [4, 0, 4, 2, 0],
  'a long list': LONG.map((row) => row % 6),
};

describe.each(targets)('%s', (_, options) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu(options);
  });
  afterAll(() => gpu.dispose());

  test.each(Object.entries(LISTS))('rows added to others, %s', async (_, values) => {
    const list = { shape: [values.length], dtype: 'u32', values } as const;
    for (const width of [3, 8]) {
      const [x, rows] = [{ shape: [6, width] }, { shape: [values.length, width] }];
      const directions = 4;
      await checkOp(gpu, (a, b, at) => add(a, scatterAddRows(mul(b, 0.5), at, 6)), [x, rows, list], { directions });
      await checkOp(gpu, (a, at) => mul(gatherRows(a, at, rowPositions(at, 6)), 3), [x, list], { directions });
    }
  });
  test.each([
    [[], 2, [0, 0, 0, 0]],
    [[1, 0, 1, 7], 3, [1, 2, 0, 3, 4, 0]],
    [[5, -1, 2], 3, [3, 0, 3, 0, 2, 3]],
    [LONG, 54, undefined],
  ] as const)('positions of rows in %j', async (values, rows, expected) => {
    const list = constant([...values], [values.length], 'i32');
    const positions = Array.from({ length: 2 * rows }, (_, i) =>
      i % 2 === 1 ? LONG.lastIndexOf(i >> 1) + 1 : LONG.includes(i >> 1) ? LONG.indexOf(i >> 1) : LONG.length,
    );
    await checkOp(gpu, () => rowPositions(list, rows), [], { tolerance: 0 });
    using step = await compile(gpu, () => ({ positions: rowPositions(list, rows) }), {});
    step.run({});
    expect(Array.from(await step.read('positions'))).toEqual(expected ?? positions);
  });
  test('whole numbers stay exact', async () => {
    const big = [16_777_217, 4_000_000_001, 7];
    using step = await compile(
      gpu,
      (_, { x, at }) => ({
        gathered: add(gatherRows(x, at), 1),
        scattered: scatterAddRows(x, at, 4),
      }),
      { batch: { x: { shape: [3, 1], dtype: 'u32' }, at: { shape: [3], dtype: 'u32' } } },
    );
    step.run({ x: Uint32Array.from(big), at: [2, 0, 9] });
    expect(Array.from(await step.read('gathered'))).toEqual([8, 16_777_218, 8]);
    expect(Array.from(await step.read('scattered'))).toEqual([4_000_000_001, 0, 16_777_217, 0]);
  });
  test('what is added to scattered rows in f16 is rounded as if these were stored', async () => {
    if (!gpu.target.f16) return;
    const half = (shape: number[], seed: number) => ({
      shape,
      dtype: 'f16' as const,
      values: normals(
        shape.reduce((a, b) => a * b),
        seed,
      ),
    });
    await checkOp(
      gpu,
      (a, b, at) => add(a, scatterAddRows(b, at, 6)),
      [half([6, 8], 1), half([3, 8], 2), { shape: [3], dtype: 'u32', values: [4, 0, 2] }],
      { tolerance: 2e-3, gradient: false },
    );
  });
});

test('rows are scattered and added in one kernel, and positions that are given are not found again', () => {
  const plan = planStep(
    defaultTarget,
    {},
    (_, { x, at }) => {
      const positions = rowPositions(at, 64);
      return add(x, scatterAddRows(mul(gatherRows(x, at, positions), 2), at, 64, positions));
    },
    { batch: { x: spec([64, 8]), at: spec([48], 'u32') } },
  );
  expect(plan.steps.map((step) => (step.kind === 'kernel' ? step.kernel.label : step.kind))).toEqual([
    'rowPositions',
    'gatherRows+mul',
    'scatterAddRows+add',
  ]);
});
test('positions of other rows are refused', () => {
  const at = input('at', [2], 'u32');
  expect(() => scatterAddRows(input('x', [2, 3]), at, 5, rowPositions(at, 4))).toThrow(
    /scatterAddRows: positions must be those of 5 rows, u32 \[5, 2\], got u32 \[4, 2\]/,
  );
  expect(() => gatherRows(input('x', [5, 3]), at, sub(input('p', [5, 2]), 1))).toThrow(/got f32 \[5, 2\]/);
});
