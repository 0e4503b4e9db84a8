/** The check of f16 kernels, on drivers that get them right and on such as do not: those are made by changing what they are given to compile. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TensorError } from '../base/errors';
import { planStep } from '../compile';
import type { Kernel, Tensor } from '../graph/op';
import { layoutState } from '../graph/state-layout';
import { openGpu } from '../node';
import { assign } from '../ops/assign';
import { add, cast, gelu, mul } from '../ops/elementwise';
import { sum } from '../ops/reduce';
import { transpose } from '../ops/transpose';
import { reshape } from '../ops/views';
import type { Plan } from '../plan/plan-types';
import { checkHalfKernels, halfKernelTexts } from './check-half-kernels';
import type { Gpu } from './gpu';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu({ adapter: 'software', tuning: false });
});
afterAll(() => gpu.dispose());

/** A driver that compiles something else where a kernel works with f16. */
const driverThat = (real: Gpu, compile: (kernel: Kernel) => Promise<GPUComputePipeline>): Gpu =>
  Object.create(real, {
    pipeline: {
      value: (kernel: Kernel) => (kernel.wgsl.includes('enable f16;') ? compile(kernel) : real.pipeline(kernel)),
    },
  });
const rewriting = (from: RegExp, to: string): Gpu =>
  driverThat(gpu, (kernel) => gpu.pipeline({ ...kernel, wgsl: kernel.wgsl.replace(from, to) }));

const batch = { x: { shape: [6, 34], dtype: 'f16' }, y: { shape: [34], dtype: 'f32' } } as const;

/** A chain of two roundings, a move, a sum and an update of state, all with f16, and one kernel without. */
function planOfHalves(): Plan {
  const layout = layoutState({ kept: { s: { shape: [34, 6], dtype: 'f16' } } }, gpu.target);
  return planStep(
    gpu.target,
    layout,
    (state, { x, y }: { x: Tensor; y: Tensor }) => {
      const z = mul(add(x, cast(y, 'f16')), 0.75);
      const turned = transpose(reshape(z, [6, 34]));
      const { s } = state.kept.tensors;
      assign(s, add(s, turned));
      return { z, columns: sum(z, [0]), whole: gelu(y) };
    },
    { batch },
  );
}

describe('a driver that is right', () => {
  test('passes with every f16 kernel, and what has none is not asked', async () => {
    const plan = planOfHalves();
    const texts = halfKernelTexts(plan);
    expect(texts.length).toBeGreaterThan(3);
    expect(texts.length).toBeLessThan(plan.report.distinctKernels);
    const done: string[] = [];
    const onProgress = (at: number, all: number) => done.push(`${at}/${all}`);
    const { checked, failures, uncovered } = await checkHalfKernels(gpu, plan, { onProgress });
    expect({ checked, failures, uncovered }).toEqual({ checked: texts.length, failures: [], uncovered: [] });
    expect(done).toEqual(Array.from({ length: texts.length + 1 }, (_, i) => `${i}/${texts.length}`));
  });
  test('passes at the smallest shapes of a kernel too', async () => {
    const sizes = {
      a: { shape: [7], dtype: 'f16' },
      b: { shape: [9], dtype: 'f16' },
      c: { shape: [13], dtype: 'f16' },
    } as const;
    const plan = planStep(gpu.target, {}, (_, { a, b, c }) => [a, b, c].map((x) => mul(x!, 3)), { batch: sizes });
    const totals: number[] = [];
    for (const shapes of [1, 2] as const)
      await checkHalfKernels(gpu, plan, { shapes, onProgress: (_, all) => totals.push(all) });
    expect([...new Set(totals)]).toEqual([1, 2]);
  });
  test('leaves no buffer behind', async () => {
    await checkHalfKernels(gpu, planOfHalves());
    expect(gpu.allocatedBytes).toBe(0);
  });
});

describe('a driver that is wrong', () => {
  test('is found out by the kernel, its line and the difference', async () => {
    const { failures } = await checkHalfKernels(rewriting(/7\.5e-1/, '7.4e-1'), planOfHalves());
    expect(failures).toEqual([
      expect.objectContaining({
        kernel: expect.stringMatching(/add\+mul/),
        site: expect.stringMatching(/check-half-kernels\.test\.ts:\d+/),
        problem: expect.stringMatching(/^differs from f32 by 1\.\de-2 where 4\.0e-3 is rounding$/),
      }),
    ]);
    expect(failures[0]!.difference).toBeGreaterThan(failures[0]!.tolerance);
  });
  test('and where it does not compile a kernel', async () => {
    const driver = driverThat(gpu, async ({ label }) => {
      throw new TensorError('shader', `kernel "${label}" does not compile`);
    });
    const { failures, uncovered } = await checkHalfKernels(driver, planOfHalves());
    expect(failures.length).toBeGreaterThan(3);
    expect(failures[0]).toMatchObject({ problem: expect.stringMatching(/does not compile/), difference: undefined });
    expect(uncovered).toEqual([]);
  });
  test('and where it takes the device down, after which nothing is claimed', async () => {
    await using own = await openGpu({ adapter: 'software', tuning: false });
    const driver = driverThat(own, async (kernel) => {
      own.device.destroy();
      return own.pipeline(kernel);
    });
    const { checked, failures, uncovered } = await checkHalfKernels(driver, planOfHalves());
    expect(failures).toHaveLength(1);
    expect(checked + uncovered.length).toBe(halfKernelTexts(planOfHalves()).length);
    expect(new Set(uncovered.map(({ reason }) => reason))).toEqual(new Set(['the device was lost before']));
  });
});

describe('what is not covered is listed', () => {
  test('for want of time', async () => {
    const { checked, failures, uncovered } = await checkHalfKernels(gpu, planOfHalves(), { seconds: 0 });
    expect([checked, failures.length]).toEqual([0, 0]);
    expect(uncovered.map(({ reason }) => reason)).toContain('no time left of 0 s');
  });
  test('for want of memory', async () => {
    await using small = await openGpu({ adapter: 'software', tuning: false, memoryLimit: 1024 });
    const { checked, uncovered } = await checkHalfKernels(small, planOfHalves());
    expect(checked).toBe(0);
    expect(uncovered[0]!.reason).toMatch(/does not fit/);
  });
});
