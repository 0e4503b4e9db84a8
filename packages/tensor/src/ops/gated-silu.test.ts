import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultTarget } from '../base/target';
import { compile, planStep } from '../compile';
import type { Gpu } from '../device/gpu';
import { openGpu } from '../node';
import { grad } from '../passes/grad';
import { checkOp } from '../testing';
import { mul } from './elementwise';
import { gatedSilu } from './gated-silu';
import { sum } from './reduce';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

test.each([[[2]], [[3, 10]], [[5, 16]], [[2, 67, 96]], [[0, 8]]])('gatedSilu of %j', async (shape) => {
  await checkOp(gpu, (x) => gatedSilu(x), [{ shape }]);
});

test('gates of any size stay finite: silu(a) is a far above 0 and 0 far below', async () => {
  await checkOp(gpu, (x) => gatedSilu(x), [{ shape: [2, 4], values: [200, -200, 3, 3, 90, -90, -2, 2] }], {
    gradient: false,
  });
});

test('the first half of a row gates the second', async () => {
  using step = await compile(gpu, (_, { x }) => ({ y: gatedSilu(x) }), { batch: { x: { shape: [4], dtype: 'f32' } } });
  step.run({ x: [1, -2, 3, 4] });
  const [first, second] = await step.read('y');
  expect(first).toBeCloseTo(3 / (1 + Math.exp(-1)), 6);
  expect(second).toBeCloseTo(-8 / (1 + Math.exp(2)), 6);
});

test('f16 is storage only', async () => {
  // a result below 8 is off by half a unit of its 11 bits at most
  await checkOp(gpu, (x) => gatedSilu(x), [{ shape: [3, 24], dtype: 'f16' }], {
    tolerance: 2 ** -11,
    gradient: false,
  });
});

test('forward and backward are one kernel each', () => {
  const plan = planStep(
    defaultTarget,
    {},
    (_, { x, g }) => {
      const y = gatedSilu(x);
      return { y, dx: grad(sum(mul(y, g)), [x])[0]! };
    },
    { batch: { x: { shape: [4, 12], dtype: 'f32' }, g: { shape: [4, 6], dtype: 'f32' } } },
  );
  const labels = plan.steps.map((step) => (step.kind === 'kernel' ? step.kernel.label : 'copy'));
  expect(labels.filter((label) => label.startsWith('gatedSilu'))).toEqual(['gatedSilu', 'gatedSiluGradient']);
  expect(labels).not.toContain('pad');
});

test.each([[[3, 5]], [[]]])('an odd last dimension is refused: %j', async (shape) => {
  expect(() =>
    planStep(defaultTarget, {}, (_, { x }) => gatedSilu(x), { batch: { x: { shape, dtype: 'f32' } } }),
  ).toThrow(/gatedSilu.*gates and as many values/);
});
