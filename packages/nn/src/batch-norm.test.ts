import { compile, constant, createState, grad, mul, type Shape, sizeOf, store, sum, type Tensor } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { checkOp, normals } from '@franca/tensor/testing';
import { afterAll, expect, test } from 'vitest';
import { batchNorm, batchNormSpecs, batchStatistics, runningSpecs, runningStatistics } from './batch-norm';
import { initialise } from './initialise';
import { parametersOf } from './parameters';

const gpu = await openGpu();
afterAll(() => gpu.dispose());

const normed = (x: Tensor, weight: Tensor, bias: Tensor): Tensor =>
  batchNorm(parametersOf({ weight, bias }), x, batchStatistics(x));

test.each<[Shape]>([[[2, 1]], [[2, 3, 5, 8]], [[700, 3]]])('value and gradients of %j', async (shape) => {
  const C = shape.at(-1)!;
  await checkOp(gpu, normed, [{ shape }, { shape: [C] }, { shape: [C] }], { directions: 8 });
});

/** n rows of C values about `mean`, of standard deviation 1, as f32 holds them. */
const rowsAbout = (mean: number, n: number, C: number): Float32Array =>
  Float32Array.from(normals(n * C, 3), (value) => value + mean);

/** By the definition, in f64. */
function moments(x: Float32Array, C: number): { mean: number[]; variance: number[]; n: number } {
  const n = x.length / C;
  const column = (c: number): number[] => Array.from({ length: n }, (_, i) => x[i * C + c]!);
  const average = (values: number[]): number => values.reduce((a, b) => a + b) / n;
  const mean = Array.from({ length: C }, (_, c) => average(column(c)));
  const variance = mean.map((m, c) => average(column(c).map((value) => (value - m) ** 2)));
  return { mean, variance, n };
}

test('deviations of 1 about a mean of 1000 keep their digits: values, running statistics and gradients', async () => {
  const [n, C] = [4000, 3];
  const x = rowsAbout(1000, n, C);
  const cotangent = rowsAbout(0, n, C).map((value, i) => value * Math.cos(i));
  const { mean, variance } = moments(x, C);
  const [weight, bias] = [
    [1, -2, 0.5],
    [0, 1, 2],
  ];
  using step = await compile(
    gpu,
    (_, { x: rows, g }) => {
      const batch = batchStatistics(rows);
      const y = batchNorm(parametersOf({ weight: constant(weight!, [C]), bias: constant(bias!, [C]) }), rows, batch);
      const old = parametersOf({ running_mean: constant([1, 2, 3], [C]), running_var: constant([4, 5, 6], [C]) });
      return { y, ...runningStatistics(old, batch), dx: grad(sum(mul(y, g)), { rows }).rows };
    },
    { batch: { x: { shape: [n, C], dtype: 'f32' }, g: { shape: [n, C], dtype: 'f32' } } },
  );
  step.run({ x, g: cotangent });
  const [y, dx] = [await step.read('y'), await step.read('dx')];
  const [runningMean, runningVar] = [await step.read('running_mean'), await step.read('running_var')];
  for (let c = 0; c < C; c++) {
    // the mean is one of numbers near 1000, of which f32 holds 2^-14 apart
    expect(Math.abs(runningMean[c]! - (0.9 * (c + 1) + 0.1 * mean[c]!))).toBeLessThan(2 ** -16);
    expect(Math.abs(runningVar[c]! - (0.9 * (c + 4) + (0.1 * variance[c]! * n) / (n - 1)))).toBeLessThan(1e-5);
    const scale = weight[c]! / Math.sqrt(variance[c]! + 1e-5);
    const at = (i: number) => i * C + c;
    const hat = (i: number) => (x[at(i)]! - mean[c]!) / Math.sqrt(variance[c]! + 1e-5);
    const [g, gx] = [0, 0].map((_, k) => {
      let total = 0;
      for (let i = 0; i < n; i++) total += cotangent[at(i)]! * (k === 0 ? 1 : hat(i));
      return total / n;
    });
    let [worst, worstSlope] = [0, 0];
    for (let i = 0; i < n; i++) {
      worst = Math.max(worst, Math.abs(y[at(i)]! - (hat(i) * weight[c]! + bias![c]!)));
      const slope = scale * (cotangent[at(i)]! - g! - hat(i) * gx!);
      worstSlope = Math.max(worstSlope, Math.abs(dx[at(i)]! - slope));
    }
    // half a unit of the mean, times the weight, and roundings of values below 16
    expect(worst).toBeLessThan(2 * 2 ** -15 + 2 ** -19);
    expect(worstSlope).toBeLessThan(2e-5);
  }
});

test('running statistics follow from step to step, and evaluation is by them', async () => {
  const [n, C] = [6, 4];
  const specs = runningSpecs(C);
  using state = createState(gpu, { weights: batchNormSpecs(C), statistics: specs });
  await initialise(gpu, state, 'weights', batchNormSpecs(C), 0);
  await initialise(gpu, state, 'statistics', specs, 0);
  const batch = { x: { shape: [2, 3, C], dtype: 'f32' } } as const;
  using training = await compile(
    gpu,
    ({ weights, statistics }, { x }) => {
      const seen = batchStatistics(x);
      store(statistics, runningStatistics(parametersOf(statistics.tensors), seen));
      return { y: batchNorm(parametersOf(weights.tensors), x, seen) };
    },
    { state, batch },
  );
  using evaluation = await compile(
    gpu,
    ({ weights, statistics }, { x }) => ({
      y: batchNorm(parametersOf({ ...weights.tensors, ...statistics.tensors }), x),
    }),
    { state, batch },
  );
  const [mean, variance] = [new Array(C).fill(0), new Array(C).fill(1)];
  for (let k = 0; k < 3; k++) {
    const x = rowsAbout(k, n, C).map((value) => value * (k + 1));
    training.run({ x });
    const seen = moments(x, C);
    for (let c = 0; c < C; c++) {
      mean[c] = 0.9 * mean[c] + 0.1 * seen.mean[c]!;
      variance[c] = 0.9 * variance[c] + (0.1 * seen.variance[c]! * n) / (n - 1);
    }
  }
  const x = rowsAbout(2, n, C);
  evaluation.run({ x });
  (await evaluation.read('y')).forEach((y, i) => {
    expect(y).toBeCloseTo((x[i]! - mean[i % C]) / Math.sqrt(variance[i % C] + 1e-5), 5);
  });
});

test('f16 is storage only', async () => {
  if (!gpu.target.f16) return;
  const inputs = [{ shape: [40, 6], dtype: 'f16' }, { shape: [6] }, { shape: [6] }] as const;
  // results below 16 in 11 bits
  await checkOp(gpu, normed, inputs, { tolerance: 2 ** -10, gradient: false });
});

test.each<[Shape]>([[[1, 4]], [[0, 4]], [[]]])('%j has no variance', (shape) => {
  expect(() => batchStatistics(constant(new Float32Array(sizeOf(shape)), shape))).toThrow(
    /a variance needs two or more/,
  );
});
