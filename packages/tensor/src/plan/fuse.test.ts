import { expect, test } from 'vitest';
import { defaultTarget } from '../base/target';
import { planStep } from '../compile';
import type { Tensor } from '../graph/op';
import { layoutState } from '../graph/state-layout';
import { assign } from '../ops/assign';
import { add, exp, mul } from '../ops/elementwise';
import { gatherRows } from '../ops/gather';
import { matmul } from '../ops/matmul/matmul';
import { constant } from '../ops/sources';
import { reshape } from '../ops/views';
import type { PlanStep } from './plan-types';

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' as const });

test('of two products that are added, the second takes the addition in and the first does not wait for it', () => {
  const { steps } = planStep(defaultTarget, {}, (_, { x, y }) => ({ total: add(matmul(x, x), matmul(y, y)) }), {
    batch: { x: f32(8, 8), y: f32(8, 8) },
  });
  const read = steps.map((step) => (step.kind === 'kernel' ? step.addresses[0]!.place : undefined));
  expect(steps).toHaveLength(2);
  expect(read).toEqual([
    { kind: 'batch', name: 'x' },
    { kind: 'batch', name: 'y' },
  ]);
});

const labels = (steps: readonly PlanStep[]): string[] =>
  steps.map((step) => (step.kind === 'kernel' ? step.kernel.label : 'copy'));

test('a reshape does not part a product from what follows it', () => {
  const { steps } = planStep(defaultTarget, {}, (_, { x, y }) => mul(reshape(matmul(x, x), [2, 4, 8]), exp(y)), {
    batch: { x: f32(8, 8), y: f32(2, 4, 8) },
  });
  expect(labels(steps)).toEqual(['matmul+exp+mul']);
});

test('a reshape parts what broadcasts along a dimension that is then gone', () => {
  const { steps } = planStep(defaultTarget, {}, (_, { x, y }) => exp(reshape(mul(x, y), [64])), {
    batch: { x: f32(8, 8), y: f32(8, 1) },
  });
  expect(labels(steps)).toEqual(['mul', 'exp']);
});

test('what a product reads is computed before it, also where it is added to the product', () => {
  const build = (_: unknown, { x, y }: Record<string, Tensor>) => {
    const before = exp(x!);
    return add(before, matmul(before, y!));
  };
  const { steps } = planStep(defaultTarget, {}, build, { batch: { x: f32(8, 8), y: f32(8, 8) } });
  expect(labels(steps)).toEqual(['exp', 'matmul+add']);
});

test('state that a kernel reads by rows is not overwritten by it', () => {
  const layout = layoutState({ w: { a: f32(8, 8), b: f32(8, 8) } }, defaultTarget);
  const reversed = constant([7, 6, 5, 4, 3, 2, 1, 0], [8], 'u32');
  const kernels = (build: (a: Tensor, b: Tensor) => Tensor) =>
    labels(planStep(defaultTarget, layout, ({ w }) => build(w.tensors.a, w.tensors.b), {}).steps);
  expect(kernels((a) => assign(a, add(gatherRows(a, reversed), 1)))).toEqual(['gatherRows+add', 'assign']);
  expect(kernels((a) => assign(a, matmul(a, a)))).toEqual(['matmul', 'assign']);
  expect(kernels((a, b) => assign(a, gatherRows(b, reversed)))).toEqual(['gatherRows+assign']);
});

test('operands of a product die with it: a sum of products made one after the other never holds more than two operands', () => {
  const size = 64;
  const count = 8;
  const { report } = planStep(
    defaultTarget,
    {},
    (_, { x }) => {
      const products = Array.from({ length: count }, (_, i) => matmul(exp(add(x, i)), x));
      return { total: products.reduceRight((rest, product) => add(product, rest)) };
    },
    { batch: { x: f32(size, size) } },
  );
  // all products, since they are added last to first, and one exp(x + i) at a time
  expect(report.peak.bytes).toBeLessThanOrEqual((count + 2) * 4 * size * size);
  expect(report.peak.alive[0]).toEqual({
    name: 'matmul f32 [64, 64]',
    count: expect.any(Number),
    bytes: expect.any(Number),
  });
});
