import { expect, test } from 'vitest';
import { planStep } from './compile';
import { add, exp } from './ops/elementwise';
import { matmul } from './ops/matmul';
import { defaultTarget } from './target';

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
