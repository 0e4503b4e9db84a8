import { compile, constant, grad, type Tensor } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { checkOp } from '@franca/tensor/testing';
import { afterAll, expect, test } from 'vitest';
import { crossEntropy } from './cross-entropy';

const gpu = await openGpu();
afterAll(() => gpu.dispose());

const labels = [3, 0, 4, 1, 1, 2, 0];
const withLabels = (logits: Tensor | undefined): Tensor => crossEntropy(logits!, constant(labels, [7], 'u32'));

test('value and gradient are those of f64', async () => {
  await checkOp(gpu, (logits) => withLabels(logits), [{ shape: [7, 5] }]);
});

test('scores of thousands neither overflow nor lose the difference', async () => {
  using step = await compile(
    gpu,
    (_, { x }) => {
      const loss = crossEntropy(x, constant([1, 0], [2], 'i32'));
      return { loss, gradient: grad(loss, { x }).x };
    },
    { batch: { x: { shape: [2, 2], dtype: 'f32' } } },
  );
  step.run({ x: [5000, 5000, -4000, 4000] });
  // ln 2 for the tie, 8000 for the one that is certain of the wrong class
  expect((await step.latest()).loss).toBeCloseTo((Math.log(2) + 8000) / 2, 2);
  expect([...(await step.read('gradient'))]).toEqual([0.25, -0.25, -0.5, 0.5]);
});

test('a label that is no class makes the loss infinite', async () => {
  using step = await compile(gpu, (_, { x, y }) => ({ loss: crossEntropy(x, y) }), {
    batch: { x: { shape: [2, 3], dtype: 'f32' }, y: { shape: [2], dtype: 'u32' } },
  });
  step.run({ x: [1, 2, 3, 4, 5, 6], y: [0, 3] });
  expect((await step.latest()).loss).toBe(Number.POSITIVE_INFINITY);
});

test('labels of another shape or type are refused', () => {
  const logits = constant(new Float32Array(6), [2, 3]);
  expect(() => crossEntropy(logits, constant([0], [1], 'u32'))).toThrow(/logits \[2, 3\] need labels \[2\], got \[1\]/);
  expect(() => crossEntropy(logits, constant([0, 1], [2]))).toThrow(/labels are class numbers, u32 or i32, got f32/);
});
