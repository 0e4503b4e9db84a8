/** Sums of columns that begin in the kernel of what is summed: the same results as kernels of their own, in fewer kernels and bytes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultTarget } from '../base/target';
import { compile, planStep } from '../compile';
import type { Gpu } from '../device/gpu';
import { planTaskAlone, tasksOf } from '../device/task-alone';
import type { Tensor } from '../graph/op';
import { openGpu } from '../node';
import { cast, exp, mul } from '../ops/elementwise';
import { gatherRows } from '../ops/gather';
import { sum } from '../ops/reduce';
import { constant } from '../ops/sources';
import { reshape } from '../ops/views';
import { checkOp, normals } from '../testing';
import type { Plan, PlanStep } from './plan-types';

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' as const });
const labels = ({ steps }: Plan): string[] =>
  steps.map((step: PlanStep) => (step.kind === 'kernel' ? step.kernel.label : step.kind));

/** The gradients of a scale and of a bias before it, in a branch that is halved. */
const scaled = ({ g, x, scale }: Record<'g' | 'x' | 'scale', Tensor>) => {
  const half = mul(g, 0.5);
  const dx = mul(half, scale);
  return { dx: reshape(dx, [600, 32]), scale: sum(mul(half, x), [0, 1]), bias: sum(dx, [0, 1]) };
};
const batch = { g: f32(6, 100, 32), x: f32(6, 100, 32), scale: f32(32) };
const planned = (target: object, fusion = true): Plan =>
  planStep({ ...defaultTarget, ...target }, {}, (_, inputs) => scaled(inputs), { batch, fusion });

test('on a GPU one kernel computes what is summed and begins both sums; what only a sum reads is never stored', () => {
  const plan = planned({});
  expect(labels(plan)).toEqual(['mul+mul+mul, summed', 'sum', 'sum']);
  const [first] = plan.steps;
  const stored = first!.kind === 'kernel' ? first!.kernel.bindings.filter(({ access }) => access === 'read_write') : [];
  expect(stored.map(({ tensor }) => tensor.shape)).toEqual([
    [6, 100, 32],
    ...new Array(2).fill([1, expect.any(Number), 32]),
  ]);
});

test('not on a software adapter, not without fusion, and not beyond the buffers of a kernel', () => {
  expect(labels(planned({ family: 'cpu' }))).toEqual(['mul+mul+mul', 'sum', 'sum']);
  for (const plan of [planned({}, false), planned({ maxStorageBuffers: 5 })])
    expect(labels(plan).some((label) => label.includes('summed'))).toBe(false);
});

test('the ops and their sums are one task, which alone is planned into the same kernels', () => {
  const plan = planned({});
  const texts = ({ steps }: Plan): string[] =>
    steps.flatMap((step) => (step.kind === 'kernel' ? [step.kernel.wgsl] : []));
  const [task, ...others] = tasksOf(plan);
  expect(others).toEqual([]);
  expect(texts(planTaskAlone(task!, plan.target, 'kept')!.plan)).toEqual(texts(plan));
});

test('a few rows are not shared among the threads of a kernel that has another purpose', () => {
  const plan = planStep(defaultTarget, {}, (_, { x }) => ({ x: exp(x), sums: sum(exp(x), [0]) }), {
    batch: { x: f32(31, 8) },
  });
  expect(labels(plan).some((label) => label.includes('summed'))).toBe(false);
});

test('rows that are gathered are summed as they are read, where vectors do not cross them', () => {
  const planOf = (columns: number): Plan =>
    planStep(defaultTarget, {}, (_, { x, rows }) => ({ bias: sum(mul(gatherRows(x!, rows!), 2), [0]) }), {
      batch: { x: f32(100, columns), rows: { shape: [60], dtype: 'u32' } },
    });
  expect(labels(planOf(12))).toEqual(['gatherRows+mul, summed', 'sum']);
  expect(labels(planOf(6))).toEqual(['gatherRows+mul', 'sum']);
});

describe('results', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu({ target: { family: 'gpu' } });
  });
  afterAll(() => gpu.dispose());

  // vectors and not, and more tiles and parts than one, the last ones not full
  test.each([
    [[2, 67, 13], [1]],
    [
      [3, 400, 68],
      [0, 1],
    ],
  ] as const)('of %j over %j', async (shape, axes) => {
    const build = (x: Tensor, g: Tensor, w: Tensor): Tensor[] => {
      const half = mul(x, 0.5);
      const [scale, dx] = [mul(half, g), mul(half, w)];
      return [dx, sum(scale, axes), sum(dx, axes)];
    };
    await checkOp(gpu, build, [{ shape }, { shape }, { shape: [shape.at(-1)!] }], { gradient: false, tolerance: 2e-5 });
  });
  test('of gathered rows, themselves and scaled', async () => {
    const list = constant([5, 0, 5, 7, 2, 1, 6, 3, 4, 0], [10], 'u32');
    const build = (x: Tensor, w: Tensor): Tensor[] => {
      const rows = gatherRows(x, list);
      const dx = mul(rows, w);
      return [dx, sum(dx, [0, 1]), sum(rows, [0, 1])];
    };
    await checkOp(gpu, build, [{ shape: [8, 37, 20] }, { shape: [20] }], { gradient: false, tolerance: 2e-5 });
  });
  test('of values in f16, rounded as if they had been stored', async (context) => {
    context.skip(!gpu.target.f16, 'the adapter has no f16');
    const half = { shape: [700, 64], dtype: 'f16' } as const;
    const results = [];
    for (const fusion of [true, false]) {
      using step = await compile(gpu, (_, { x, y }) => ({ sums: cast(sum(mul(x, y), [0]), 'f32') }), {
        batch: { x: half, y: half },
        fusion,
      });
      step.run({ x: normals(44800, 1), y: normals(44800, 2) });
      results.push(Array.from(await step.read('sums')));
    }
    expect(results[0]).toEqual(results[1]);
  });
});
