import { compile, createState } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { expect, test } from 'vitest';
import { initialLossScale, lossScale, updateLossScale } from './loss-scale';

test('the scale halves at a bad step, doubles after enough good ones in a row, and never reads back', async () => {
  const gpu = await openGpu();
  const state = createState(gpu, { optimizer: { loss_scale: { shape: [2], dtype: 'f32' } } });
  state.write('optimizer', 'loss_scale', initialLossScale(1024));
  const step = await compile(
    gpu,
    (s, { finite }) => {
      const own = s.optimizer.tensors.loss_scale;
      const before = lossScale(own);
      const after = updateLossScale(own, finite, { growthInterval: 3 });
      return { before, after };
    },
    { state, batch: { finite: { shape: [], dtype: 'u32' } } },
  );
  const history: number[][] = [];
  for (const finite of [1, 1, 0, 1, 1, 1, 1, 1, 1, 0]) {
    step.run({ finite: [finite] });
    history.push(Array.from(await step.read('after')));
  }
  expect(history).toEqual([
    [1024, 1],
    [1024, 2],
    [512, 0],
    [512, 1],
    [512, 2],
    [1024, 0],
    [1024, 1],
    [1024, 2],
    [2048, 0],
    [1024, 0],
  ]);
  step.dispose();
  state.dispose();
  await gpu.dispose();
});
