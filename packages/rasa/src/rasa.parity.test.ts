import { adamW } from '@franca/nn';
import { compile, createState, type Gpu, grad, store, type TensorTree } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkParity, parityFile } from '../../../test/support/parity';
import { chainBases, decompose, planeBasis, projectionMatrix, removePlanes } from './planes';
import { type Activation, gridPositions, positionLoss, predictPositions } from './position-head';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const file = parityFile('rasa');
const c = file.config;
const D: number = c.D;
const grid = [c.grid, c.grid] as const;
const pre = Array.from({ length: c.n_pre }, (_, t) => file.floats(`pre_pos_layers.${t}.weight`));
const last = file.floats('pos_pred.weight');
const forward = { ofMax: 1e-5 };

test('the official chain: each plane split off in turn, all together, and as one matrix', () => {
  let x = file.floats('x');
  for (const [t, basis] of chainBases(pre, D, false).entries()) {
    const { position, rest } = decompose(x, D, basis);
    checkParity(file, `decompose.${t}.pos`, position, file.floats(`decompose.${t}.pos`), forward);
    checkParity(file, `decompose.${t}.rest`, rest, file.floats(`decompose.${t}.rest`), forward);
    x = rest;
  }
  checkParity(file, 'forward.pre_only', x, file.floats('forward.pre_only'), forward);
  const { position, rest } = decompose(x, D, planeBasis(last, D));
  checkParity(file, 'forward.pos', position, file.floats('forward.pos'), forward);
  checkParity(file, 'forward.full', rest, file.floats('forward.full'), forward);
  checkParity(file, 'L_pre', projectionMatrix(chainBases(pre, D, false), D), file.floats('L_pre'), forward);
  checkParity(
    file,
    'L_full',
    projectionMatrix(chainBases([...pre, last], D, false), D),
    file.floats('L_full'),
    forward,
  );
  const line = decompose(file.floats('x'), D, planeBasis(file.floats('one_d.weight'), D));
  checkParity(file, 'one_d.pos', line.position, file.floats('one_d.pos'), forward);
  checkParity(file, 'one_d.rest', line.rest, file.floats('one_d.rest'), forward);
});

test('predictions, loss and gradient of the position head', async () => {
  checkParity(file, 'target', gridPositions(grid), file.floats('target'), { absolute: 1e-7 });
  const shape = file.shape('x');
  using step = await compile(
    gpu,
    (_, { z, w }): TensorTree => {
      const loss = positionLoss(z, w, grid, c.activation as Activation);
      return {
        loss,
        gradient: grad(loss, [w])[0]!,
        ...Object.fromEntries(
          (['sigmoid', 'tanh', 'none'] as const).map((kind) => [kind, predictPositions(z, w, kind)]),
        ),
      };
    },
    { batch: { z: { shape, dtype: 'f32' }, w: { shape: [2, D], dtype: 'f32' } } },
  );
  step.run({ z: file.floats('forward.pre_only'), w: last });
  for (const kind of ['sigmoid', 'tanh', 'none'])
    checkParity(file, `pred.${kind}`, await step.read(kind), file.floats(`pred.${kind}`), forward);
  checkParity(file, 'loss', await step.read('loss'), file.floats('loss'), { relative: 1e-5 });
  checkParity(file, 'g_pos_pred', await step.read('gradient'), file.floats('g_pos_pred'), { ofMax: 2e-5 });
});

test('the official optimizer steps', async () => {
  const [batches, B, N] = file.shape('batches') as [number, number, number, number];
  const head = { w: { shape: [2, D], dtype: 'f32' as const } };
  using state = createState(gpu, { head, m: head, v: head, g: head, o: { corrections: { shape: [2], dtype: 'f32' } } });
  state.write('head', 'w', last);
  using step = await compile(
    gpu,
    (s, { z }, { lr, wd }) => {
      const loss = positionLoss(z, s.head!.tensors.w!, grid, c.activation as Activation);
      adamW(
        {
          weights: s.head!,
          m: s.m!,
          v: s.v!,
          gradients: store(s.g!, grad(loss, { w: s.head!.tensors.w! })),
          corrections: s.o!.tensors.corrections!,
          lr,
          weightDecay: wd,
        },
        { betas: c.betas, eps: c.eps, rule: () => ({ lrMultiplier: 1, weightDecayMultiplier: 1, isLastLayer: false }) },
      );
      return { loss };
    },
    { state, batch: { z: { shape: [B, N, D], dtype: 'f32' } }, knobs: { lr: [], wd: [] } },
  );
  const [lr, wd, losses] = [file.floats('train.lr'), file.floats('train.wd'), file.floats('train.loss')];
  const all = file.floats('batches');
  for (let i = 0; i < lr.length; i++) {
    const at = (i % batches) * B * N * D;
    const z = all.slice(at, at + B * N * D);
    removePlanes(z, D, chainBases(pre, D, false));
    step.run({ z }, { lr: lr[i]!, wd: wd[i]! });
    checkParity(file, `train.loss ${i}`, await step.read('loss'), losses.subarray(i, i + 1), { relative: 1e-5 });
    checkParity(file, `train.w.${i}`, await state.read('head', 'w'), file.floats(`train.w.${i}`), { absolute: 1e-4 });
  }
  expect(lr.length).toBeGreaterThan(0);
});
