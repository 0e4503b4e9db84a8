/** The depth probes of Probe3D as changed since 2025: metrics, losses, heads and their gradients as the official code computed them, from its own numbers. */
import { parametersOf } from '@franca/nn';
import { add, compile, createState, type Gpu, grad, mul, spec, type Tensor } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkParity, type ParityFile, parityFile, parityJson } from '../../../../test/support/parity';
import { levelSpecs } from './depth-batch';
import { type HeadShape, headDepth, headSpecs } from './depth-heads';
import { gradientLoss, logErrors, sigLoss } from './depth-losses';
import { depthMetrics } from './depth-metrics';
import type { DepthHead } from './depth-protocol';
import { warmCosine } from './depth-schedule';
import { resizedDepth } from './depth-step';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const golden: {
  readonly depth: {
    readonly prediction: number[][][];
    readonly truth: number[][][];
    readonly scale_aware: Record<'d1' | 'd2' | 'd3' | 'rmse', number[]>;
    readonly scale_invariant: Record<'d1' | 'd2' | 'd3' | 'rmse', number[]>;
    readonly remarks: string[];
  };
  readonly schedule: { readonly max_step: number; readonly warmup: number; readonly factors: Record<string, number> };
} = parityJson('eval_depth');

test.each([...golden.depth.remarks.entries()])('metrics of image %i: %s', (image) => {
  const { prediction, truth, scale_aware: plain, scale_invariant: fitted } = golden.depth;
  const got = depthMetrics(Float32Array.from(prediction[image]!.flat()), Float32Array.from(truth[image]!.flat()))!;
  // the published means are f32
  const close = (value: number, expected: number) => expect(Math.abs(value - expected)).toBeLessThan(2e-6);
  close(got.rmse, plain.rmse[image]!);
  close(got.siRmse, fitted.rmse[image]!);
  for (const [k, name] of (['d1', 'd2', 'd3'] as const).entries()) {
    close([got.d1, got.d2, got.d3][k]!, plain[name][image]!);
    close([got.siD1, got.siD2, got.siD3][k]!, fitted[name][image]!);
  }
});

test('the learning rate follows the published factors', () => {
  const { max_step: steps, warmup, factors } = golden.schedule;
  for (const [step, factor] of Object.entries(factors))
    expect(warmCosine(Number(step), steps, warmup)).toBeCloseTo(factor, 14);
});

const file = parityFile('eval_depth');
const squeezed = (name: string): number[] => file.shape(name).filter((_, axis) => axis !== 1);
const loss = (prediction: Tensor, truth: Tensor): Tensor => {
  const errors = logErrors(prediction, truth);
  return add(mul(sigLoss(errors), 10), mul(gradientLoss(errors, 'rows-and-columns'), 0.5));
};

test('loss and its gradient', async () => {
  const shape = squeezed('loss.prediction');
  using step = await compile(
    gpu,
    (_, { prediction, truth }) => {
      const errors = logErrors(prediction, truth);
      const value = loss(prediction, truth);
      const [gradient] = grad(value, [prediction]);
      return { value, sig: sigLoss(errors), along: gradientLoss(errors, 'rows-and-columns'), gradient: gradient! };
    },
    { batch: { prediction: spec(shape), truth: spec(shape) } },
  );
  step.run({ prediction: file.floats('loss.prediction'), truth: file.floats('loss.truth') });
  // sums of 1040 terms of one size, in f32
  checkParity(file, 'loss.sig', await step.read('sig'), file.floats('loss.sig'), { relative: 1e-5 });
  checkParity(file, 'loss.gradient_term', await step.read('along'), file.floats('loss.gradient_term'), {
    relative: 1e-5,
  });
  checkParity(file, 'loss.value', await step.read('value'), file.floats('loss.value'), { relative: 1e-5 });
  checkParity(file, 'loss.grad_prediction', await step.read('gradient'), file.floats('loss.grad_prediction'), {
    ofMax: 1e-5,
  });
});

describe.each<DepthHead>(['linear', 'dpt'])('the head %s', (head) => {
  test('gives the published depth, loss and gradients', async () => {
    const shape: HeadShape = { ...file.config, head };
    const [B, ...depthSize] = squeezed('loss.truth') as [number, number, number];
    const batch = { images: B, dim: shape.dim, levels: shape.levels, grid: file.config.grid, depthSize };
    const specs = headSpecs(shape);
    using state = createState(gpu, { weights: specs });
    for (const name of Object.keys(specs)) state.write('weights', name, file.floats(`${head}.w.${name}`));
    using step = await compile(
      gpu,
      ({ weights }, { truth, ...levels }: Readonly<Record<string, Tensor>>) => {
        const output = headDepth(parametersOf(weights.tensors), Object.values(levels), shape);
        const value = loss(resizedDepth(output, batch, shape), truth!);
        return { output, value, gradients: Object.values(grad(value, weights.tensors)) };
      },
      { state, batch: { ...levelSpecs(batch), truth: spec([B, ...depthSize]) } },
    );
    const levels = Object.keys(levelSpecs(batch)).map((name, l) => [name, channelsLast(file, `${head}.feature${l}`)]);
    step.run({ ...Object.fromEntries(levels), truth: file.floats('loss.truth') });
    const read = step.read as (path: string) => Promise<Float32Array>;
    // f32 against f64: sums of 256 bins, 72 taps and some 1000 pixels, a few roundings of 6e-8 each
    checkParity(file, `${head}.output`, await read('output'), file.floats(`${head}.output`), { relative: 1e-5 });
    checkParity(file, `${head}.loss`, await read('value'), file.floats(`${head}.loss`), { relative: 1e-5 });
    for (const [i, name] of Object.keys(specs).entries())
      checkParity(file, `${head}.g`, await read(`gradients.${i}`), file.floats(`${head}.g.${name}`), { ofMax: 1e-4 });
  });
});

function channelsLast(from: ParityFile, name: string): Float32Array {
  const [, C, H, W] = from.shape(name) as [number, number, number, number];
  const values = from.floats(name);
  return Float32Array.from({ length: values.length }, (_, i) => {
    const [c, w, h, b] = [i % C, Math.floor(i / C) % W, Math.floor(i / (C * W)) % H, Math.floor(i / (C * W * H))];
    return values[((b * C + c) * H + h) * W + w]!;
  });
}
