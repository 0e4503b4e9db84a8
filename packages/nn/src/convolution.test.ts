import { compile, input, type Tensor } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { checkOp } from '@franca/tensor/testing';
import { afterAll, expect, test } from 'vitest';
import { conv2d, conv2dSpecs } from './layers';
import { initialValues, parametersOf, ZEROS } from './parameters';

const gpu = await openGpu();
afterAll(() => gpu.dispose());

test('a weight in the official order: output 1 sees the pixel on the right in channel 2', async () => {
  const weight = new Float32Array(2 * 3 * 3 * 3);
  const at = (o: number, c: number, i: number, j: number): number => ((o * 3 + c) * 3 + i) * 3 + j;
  weight[at(1, 2, 1, 2)] = 10;
  using step = await compile(
    gpu,
    (_, { x, weight: w, bias }) => ({ y: conv2d(parametersOf({ weight: w, bias }), x, { padding: 1 }) }),
    {
      batch: {
        x: { shape: [1, 1, 4, 3], dtype: 'f32' },
        weight: { shape: [2, 3, 3, 3], dtype: 'f32' },
        bias: { shape: [2], dtype: 'f32' },
      },
    },
  );
  step.run({ x: Float32Array.from({ length: 12 }, (_, i) => i), weight, bias: [0.5, 0.25] });
  expect([...(await step.read('y'))]).toEqual([0.5, 50.25, 0.5, 80.25, 0.5, 110.25, 0.5, 0.25]);
});

test('gradients of pixels, weight and bias, with a stride', async () => {
  const layer = (x: Tensor, weight: Tensor, bias: Tensor): Tensor =>
    conv2d(parametersOf({ weight, bias }), x, { stride: [2, 1], padding: [1, 0] });
  await checkOp(gpu, layer, [{ shape: [2, 5, 4, 3] }, { shape: [4, 3, 3, 2] }, { shape: [4] }], { directions: 8 });
});

test('f16 pixels are multiplied by weights in f16; a layer without a bias looks for none', () => {
  const weight = input('weight', [4, 8, 3, 3]);
  const y = conv2d(parametersOf({ weight }), input('x', [1, 4, 4, 8], 'f16'), { bias: false });
  expect(y).toMatchObject({ shape: [1, 2, 2, 4], dtype: 'f16' });
});

test('initial values are uniform within 1 / sqrt(inputs x taps), or what is asked for', () => {
  const { weight, bias } = conv2dSpecs(8, 5, [3, 1]);
  const bound = 1 / Math.sqrt(8 * 3);
  expect(weight!.shape).toEqual([5, 8, 3, 1]);
  for (const spec of [weight!, bias!]) expect(spec.init).toEqual({ kind: 'uniform', bound });
  expect(Math.max(...initialValues('weight', weight!, 0).map(Math.abs))).toBeLessThanOrEqual(bound);
  expect(conv2dSpecs(8, 5, 1, { bias: false, init: ZEROS })).toEqual({
    weight: { shape: [5, 8, 1, 1], dtype: 'f32', init: ZEROS },
  });
});
