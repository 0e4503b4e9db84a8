import { compile, createState, type Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ema } from './ema';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const specs = { 'a.bias': { shape: [5], dtype: 'f32' } } as const;

test('the average moves towards its source by 1 - momentum', async () => {
  using state = createState(gpu, { w: specs, teacher: specs });
  state.write('w', 'a.bias', [1, 2, 3, 4, 5]);
  using step = await compile(
    gpu,
    (s, _, { momentum }) => {
      ema(s.teacher.windows, s.w.windows, momentum);
      return {};
    },
    { state, knobs: { momentum: [] } },
  );
  step.run({}, { momentum: 0.75 });
  step.run({}, { momentum: 0.75 });
  expect(Array.from(await state.read('teacher', 'a.bias'))).toEqual([1, 2, 3, 4, 5].map((x) => x * (1 - 0.75 ** 2)));
});
