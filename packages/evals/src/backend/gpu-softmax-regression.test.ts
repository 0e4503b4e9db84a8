import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gaussian } from '../../test/support';
import { sharedCurvature, turnRows } from '../logistic-regression/curvature';
import { fitLogistic } from '../logistic-regression/fit';
import { logisticRegression } from '../logistic-regression/logistic-regression';
import { largest } from '../numerics/lbfgs';
import { cpuBackend } from './cpu';
import type { SoftmaxProblem, SoftmaxRegressionSession } from './eval-backend';
import { openSoftmaxRegression, suitsDevice } from './gpu-softmax-regression';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const difference = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, i) => value - b[i]!);

/** More rows than a block, and no whole blocks; classes that overlap. */
const [rows, dim, classes] = [4500, 13, 5];
const x = gaussian(rows, dim, 1);
const labels = Int32Array.from({ length: rows }, (_, i) => (x.data[i * dim]! > 0.3 ? i % 2 : 2 + (i % 3)));
const problem = { x, labels, classes };

/** Slices of blocks of 4,096 rows have 6 bits, and what is left after two of them the 24 of f32: sums are exact to 36 bits of their terms' size. */
const CENTRE = 2 ** -32;

/** Of `device` and in f64, at the same point. */
async function both(device: SoftmaxRegressionSession, parameters: Float64Array) {
  using exact = cpuBackend.openSoftmaxRegression(problem);
  const [got, want] = [parameters.slice(), parameters.slice()];
  const values = [await device.evaluate(parameters, got), await exact.evaluate(parameters, want)] as const;
  return { value: Math.abs(values[0] - values[1]), gradient: largest(difference(got, want)), want };
}

test('what is off is the rounding of the step from the centre', async () => {
  const centre = Float64Array.from(gaussian(classes * (dim + 1), 1, 2).data);
  const direction = Float64Array.from(gaussian(classes * (dim + 1), 1, 3).data);
  using device = openSoftmaxRegression(gpu, problem);
  await device.centre!(centre, centre.slice());
  const longest = (data: Float32Array | Float64Array, of: number, count: number) =>
    Math.max(...Array.from({ length: count }, (_, i) => Math.hypot(...data.subarray(i * of, (i + 1) * of))));
  const ofRow = longest(x.data, dim, rows);
  for (const step of [1, 1e-3, 1e-6]) {
    const off = await both(
      device,
      centre.map((value, i) => value + step * direction[i]!),
    );
    // a logit moves by a sum of `dim` products of f32 numbers, each rounded thrice: off by (dim + 2) 2^-24 |x| |step| at most
    const logit = (dim + 2) * 2 ** -24 * ofRow * step * longest(direction, dim, classes);
    expect(off.value).toBeLessThan(2 * logit * rows + 1e-9);
    // residuals move by no more than the logits do, and are off by as much; their sums over rows are rounded as they are added
    const moved = ofRow * step * longest(direction, dim + 1, classes) + step;
    expect(off.gradient).toBeLessThan(rows * ofRow * (2 * logit + rows * 2 ** -24 * moved) + 1e-9);
    expect(off.gradient / largest(off.want)).toBeLessThan(1e-5 * step + CENTRE);
  }
  const at = await both(device, centre);
  expect(Math.max(at.value / rows, at.gradient / largest(at.want))).toBeLessThan(CENTRE);
});

test('the optimum is that of f64 as far as the gradients say', async () => {
  for (const c of [0.1, 100]) {
    using device = openSoftmaxRegression(gpu, problem);
    using exact = cpuBackend.openSoftmaxRegression(problem);
    const fast = await fitLogistic(device, [classes, dim], { c });
    const slow = await fitLogistic(exact, [classes, dim], { c });
    expect([fast.converged, slow.converged]).toEqual([true, true]);
    const zero = slow.parameters.slice();
    await exact.evaluate(new Float64Array(zero.length), zero);
    // no component of either gradient is above 1e-8 of the zero model's; the loss is strongly convex in the weights, by 1 / c: |W - W'| <= c |gradients|
    const gradients = 2e-8 * largest(zero) * Math.sqrt(zero.length);
    const weights = classes * dim;
    const apart = difference(fast.parameters.subarray(0, weights), slow.parameters.subarray(0, weights));
    expect(Math.hypot(...apart)).toBeLessThanOrEqual(c * gradients);
    expect(largest(apart) / largest(slow.parameters)).toBeLessThan(1e-3);
  }
});

test('the whole sweep chooses and predicts as in f64', async () => {
  const train = { dim, cls: x.data, labels };
  const backend = {
    ...cpuBackend,
    openSoftmaxRegression: (given: SoftmaxProblem) => openSoftmaxRegression(gpu, given),
  };
  const options = { cs: [0.001, 0.1, 100] };
  const fast = await logisticRegression(train, train, { ...options, backend });
  const slow = await logisticRegression(train, train, options);
  expect(fast.sweep.map(({ score }) => score)).toEqual(slow.sweep.map(({ score }) => score));
  expect(fast.outcome.hyper).toMatchObject({ c: slow.outcome.hyper.c, converged: true });
  expect(fast.predicted).toEqual(slow.predicted);
  expect(fast.notes).toEqual([]);
});

test('separable data at large C converge, by the gradient in f64', async () => {
  const [rows, dim, classes] = [60, 24, 5];
  const x = gaussian(rows, dim, 7);
  const curvature = await sharedCurvature(cpuBackend, x);
  const problem = { x: turnRows(curvature, x), labels: Int32Array.from({ length: rows }, (_, i) => i % 5), classes };
  using device = openSoftmaxRegression(gpu, problem);
  using exact = cpuBackend.openSoftmaxRegression(problem);
  const scale = new Float64Array(classes * (dim + 1));
  await exact.evaluate(scale.slice(), scale);
  for (const c of [1e3, 1e5]) {
    const { parameters, converged } = await fitLogistic(device, [classes, dim], { c, curvature });
    expect(converged).toBe(true);
    const gradient = parameters.slice();
    await exact.evaluate(parameters, gradient);
    for (let i = 0; i < classes * dim; i++) gradient[i]! += parameters[i]! / c;
    // the device's own measure is good to 2^-32
    expect(largest(gradient) / largest(scale)).toBeLessThan(1e-8 + CENTRE);
  }
});

test('small problems stay in f64, and those whose blocks no binding takes', () => {
  expect(suitsDevice(gpu, problem)).toBe(false);
  const large = { x: { data: new Float32Array(0), rows: 5994, cols: 768 }, labels, classes: 200 };
  expect(suitsDevice(gpu, large)).toBe(true);
  expect(suitsDevice(gpu, { ...large, classes: gpu.target.maxBindingBytes })).toBe(false);
});
