import { compile, createState, grad, mul, spec, square, store, sub, sum } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, expect, test } from 'vitest';
import { type SgdOptions, sgd } from './sgd';

const gpu = await openGpu();
afterAll(() => gpu.dispose());

test.each<[string, SgdOptions]>([
  ['plain', { momentum: 0 }],
  ['momentum, the default', {}],
  ['Nesterov with decay', { momentum: 0.8, nesterov: true, weightDecay: 0.1 }],
])('%s: five steps are those of f64', async (_, options) => {
  const { momentum = 0.9, nesterov = false, weightDecay = 0 } = options;
  using state = createState(gpu, { weights: { w: spec([3]) }, velocity: { w: spec([3]) }, gradient: { w: spec([3]) } });
  state.write('weights', 'w', [1, -2, 0.5]);
  using step = await compile(
    gpu,
    ({ weights, velocity, gradient }, { target }, { lr }) => {
      const loss = mul(sum(square(sub(weights.tensors.w, target))), 0.5);
      sgd({ weights, velocity, gradients: store(gradient, grad(loss, weights.tensors)), lr }, options);
      return { loss };
    },
    { state, batch: { target: spec([3]) }, knobs: { lr: [] } },
  );
  const [w, v, target] = [
    [1, -2, 0.5],
    [0, 0, 0],
    [0.25, 1, 3],
  ];
  for (let k = 0; k < 5; k++) {
    step.run({ target }, { lr: 0.1 });
    for (let i = 0; i < 3; i++) {
      const g = w[i]! - target[i]! + weightDecay * w[i]!;
      v[i] = momentum * v[i]! + g;
      w[i]! -= 0.1 * (nesterov ? g + momentum * v[i]! : v[i]!);
    }
  }
  // five updates of numbers below 4 in f32
  (await state.read('weights', 'w')).forEach((value, i) => {
    expect(Math.abs(value - w[i]!)).toBeLessThan(5 * 4 * 2 ** -22);
  });
});
