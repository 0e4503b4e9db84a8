import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gaussian } from '../../test/support';
import { fitLogistic } from '../logistic-regression/fit';
import { logisticRegression } from '../logistic-regression/logistic-regression';
import { cpuBackend } from './cpu';
import { openSoftmaxRegression, suitsDevice } from './gpu-softmax-regression';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const norm = (values: Float64Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
const difference = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, i) => value - b[i]!);

/** More rows than a block, and no whole blocks; classes that overlap. */
const [rows, dim, classes] = [4500, 13, 5];
const x = gaussian(rows, dim, 1);
const labels = Int32Array.from({ length: rows }, (_, i) => (x.data[i * dim]! > 0.3 ? i % 2 : 2 + (i % 3)));
const problem = { x, labels, classes };

test('value and gradient are those of f64 to the rounding of the products', async () => {
  using device = openSoftmaxRegression(gpu, problem);
  using exact = cpuBackend.openSoftmaxRegression(problem);
  const parameters = Float64Array.from(gaussian(classes * (dim + 1), 1, 2).data);
  const [got, want] = [parameters.slice(), parameters.slice()];
  const values = [await device.evaluate(parameters, got), await exact.evaluate(parameters, want)] as const;
  // a logit is a sum of `dim` products: it, and with it the loss of a row twice, is off by dim 2^-24 |x| |w| at most; so are residuals, times 1
  const longest = (data: Float32Array | Float64Array, of: number, count: number) =>
    Math.max(...Array.from({ length: count }, (_, i) => Math.hypot(...data.subarray(i * of, (i + 1) * of))));
  const [ofRow, ofClass] = [longest(x.data, dim, rows), longest(parameters, dim, classes)];
  const logit = 2 ** -24 * (dim + 1) * ofRow * ofClass;
  expect(Math.abs(values[0] - values[1])).toBeLessThan(2 * logit * rows);
  // summed over rows in f32 besides, each of which is off by 2^-24 a term at most
  const component = rows * ofRow * (2 * logit + 2 ** -24 * Math.sqrt(rows));
  expect(Math.max(...difference(got, want).map(Math.abs))).toBeLessThan(component);
  expect(norm(difference(got, want)) / norm(want)).toBeLessThan(1e-5);
});

test('the optimum is that of f64 as far as the gradients say', async () => {
  const c = 0.1;
  using device = openSoftmaxRegression(gpu, problem);
  using exact = cpuBackend.openSoftmaxRegression(problem);
  const fast = await fitLogistic(device, [classes, dim], { c });
  const slow = await fitLogistic(exact, [classes, dim], { c });
  expect(fast).toMatchObject({ converged: true });
  const gradient = new Float64Array(fast.parameters.length);
  await exact.evaluate(fast.parameters, gradient);
  const weights = classes * dim;
  for (let i = 0; i < weights; i++) gradient[i]! += fast.parameters[i]! / c;
  // the loss is strongly convex in the weights, by 1 / c: |W - W'| <= c |gradient|
  const apart = norm(difference(fast.parameters.subarray(0, weights), slow.parameters.subarray(0, weights)));
  expect(apart).toBeLessThanOrEqual(2 * c * norm(gradient));
  expect(apart / norm(slow.parameters)).toBeLessThan(1e-5);
});

test('the final fit is in f64 wherever the sweep was computed', async () => {
  const train = { dim, cls: x.data, labels };
  const backend = {
    ...cpuBackend,
    openSoftmaxRegression: (given: typeof problem) => openSoftmaxRegression(gpu, given),
  };
  const options = { cs: [0.001, 0.1] };
  const fast = await logisticRegression(train, train, { ...options, backend });
  const slow = await logisticRegression(train, train, options);
  expect(fast.outcome.hyper).toMatchObject({ sweep: 'f32', converged: true });
  expect(fast.outcome.hyper.gradient).toBeLessThanOrEqual(1e-8);
  expect(slow.outcome.hyper).toMatchObject({ sweep: 'f64', c: fast.outcome.hyper.c });
  expect(fast.predicted).toEqual(slow.predicted);
  expect(fast.notes).toEqual([]);
});

test('small problems stay in f64, and those whose blocks no binding takes', () => {
  expect(suitsDevice(gpu, problem)).toBe(false);
  const large = { x: { data: new Float32Array(0), rows: 5994, cols: 768 }, labels, classes: 200 };
  expect(suitsDevice(gpu, large)).toBe(true);
  expect(suitsDevice(gpu, { ...large, classes: gpu.target.maxBindingBytes })).toBe(false);
});
