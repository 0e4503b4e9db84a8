import { compile, createState, type Gpu, type GroupSpec, store } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkParity, parityFile } from '../../../test/support/parity';
import { adamW } from './adamw';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

test('adamw: the official optimizer steps with groups and per-submodule clipping', async () => {
  const file = parityFile('adamw');
  const { betas, eps, clip, submodules, groups, steps } = file.config as {
    betas: [number, number];
    eps: number;
    clip: number;
    submodules: string[];
    groups: Record<string, [number, number, boolean]>;
    steps: number;
  };
  const initial = file.withPrefix('w0.');
  const specs: GroupSpec = Object.fromEntries([...initial].map(([name, { shape }]) => [name, { shape, dtype: 'f32' }]));
  using state = createState(gpu, {
    student: specs,
    m: specs,
    v: specs,
    gradient: specs,
    optimizer: { corrections: { shape: [2], dtype: 'f32' } },
  });
  for (const [name, { data }] of initial) state.write('student', name, data);
  using step = await compile(
    gpu,
    (s, gradients, { lr, wd, lastLayerLr }) => {
      const { norms } = adamW(
        {
          weights: s.student,
          m: s.m,
          v: s.v,
          gradients: store(s.gradient, gradients),
          corrections: s.optimizer.tensors.corrections,
          lr,
          weightDecay: wd,
          lastLayerLr,
        },
        {
          betas,
          eps,
          maxNorm: clip,
          rule: (name) => ({
            lrMultiplier: groups[name]![0],
            weightDecayMultiplier: groups[name]![1],
            isLastLayer: groups[name]![2],
          }),
          clipGroup: (name) => submodules.find((submodule) => name.startsWith(submodule))!,
        },
      );
      return norms;
    },
    { state, batch: specs, knobs: { lr: [], wd: [], lastLayerLr: [] } },
  );
  const [lr, wd, lastLayerLr] = [file.floats('lr'), file.floats('wd'), file.floats('last_layer_lr')];
  let sumLr = 0;
  for (let k = 0; k < steps; k++) {
    sumLr += lr[k]!;
    step.run(Object.fromEntries([...file.withPrefix(`s${k}.g.`)].map(([name, { data }]) => [name, data])), {
      lr: lr[k]!,
      wd: wd[k]!,
      lastLayerLr: lastLayerLr[k]!,
    });
    const norms = await Promise.all(submodules.map(async (submodule) => (await step.read(submodule))[0]!));
    checkParity(
      file,
      `step ${k} gradient norms`,
      norms,
      file.floats('grad_norm').subarray(k * submodules.length, (k + 1) * submodules.length),
      { relative: 1e-5 },
    );
    for (const [name, { data }] of file.withPrefix(`s${k}.w.`))
      checkParity(file, `step ${k} ${name}`, await state.read('student', name), data, {
        ofMax: 1e-6,
        absolute: 1e-3 * sumLr,
      });
  }
  for (const moment of ['m', 'v'] as const)
    for (const [name, { data }] of file.withPrefix(`end.${moment}.`))
      checkParity(file, `${moment} ${name}`, await state.read(moment, name), data, { ofMax: 1e-5 });
  expect(steps).toBeGreaterThan(0);
});
