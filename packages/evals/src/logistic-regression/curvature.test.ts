import { expect, test } from 'vitest';
import { cpuBackend } from '../backend/cpu';
import { matrix } from '../matrix';
import { random } from '../numerics/random';
import { inverseCurvature, sharedCurvature, turnBack, turnRows } from './curvature';
import { fitLogistic } from './fit';

const [classes, dim, rows] = [3, 5, 60];
const { uniform } = random(1);
/** Of scales from 1 to 256, far from zero, correlated. */
const features = Float32Array.from({ length: rows * dim }, (_, i) => 4 ** (i % dim) * (uniform() + 2) + uniform());
const labels = Int32Array.from({ length: rows }, (_, i) => i % classes);
const x = matrix(features, dim);

test('it is the inverse of the Hessian where all classes are equally likely', async () => {
  const c = 0.01;
  const curvature = await sharedCurvature(cpuBackend, x);
  const apply = inverseCurvature(curvature, classes, c);
  using session = cpuBackend.openSoftmaxRegression({ x: turnRows(curvature, x), labels, classes });
  const parameters = classes * (dim + 1);
  // gradients are linear to second order around zero; directions that move all classes alike change nothing
  const direction = Float64Array.from({ length: parameters }, (_, i) => {
    const k = i < classes * dim ? Math.floor(i / dim) : i - classes * dim;
    return [1, -3, 2][k]! * (1 + (i < classes * dim ? i % dim : 7));
  });
  const step = 1e-8;
  const gradientAt = async (sign: number) => {
    const gradient = new Float64Array(parameters);
    await session.evaluate(
      direction.map((value) => sign * step * value),
      gradient,
    );
    return gradient;
  };
  const [after, before] = [await gradientAt(1), await gradientAt(-1)];
  const product = direction.map((value, i) => {
    const penalty = i < classes * dim ? value / c : 0;
    return (after[i]! - before[i]!) / (2 * step) + penalty;
  });
  const back = apply(product);
  for (const [i, value] of back.entries()) expect(value / direction[i]!).toBeCloseTo(1, 3);
});

test('features of very different scales are fitted in few steps, to the same optimum', async () => {
  using session = cpuBackend.openSoftmaxRegression({ x, labels, classes });
  const curvature = await sharedCurvature(cpuBackend, x);
  const options = { c: 1, tolerance: 1e-9 };
  const plain = await fitLogistic(session, [classes, dim], { ...options, maxIterations: 5000 });
  using turned = cpuBackend.openSoftmaxRegression({ x: turnRows(curvature, x), labels, classes });
  const fit = await fitLogistic(turned, [classes, dim], { ...options, curvature });
  expect(fit).toMatchObject({ converged: true });
  expect(fit.iterations).toBeLessThan(60);
  expect(plain.iterations).toBeGreaterThan(5 * fit.iterations);
  expect(fit.objective).toBeLessThanOrEqual(plain.objective * (1 + 1e-9));
  // turned back, it is a solution of the features as they are
  const back = await fitLogistic(session, [classes, dim], {
    ...options,
    start: turnBack(curvature, fit.parameters, classes),
    maxIterations: 0,
  });
  expect(back.objective / fit.objective).toBeCloseTo(1, 12);
});

test('features that never change, and fewer rows than columns, leave it finite', async () => {
  const constant = matrix(new Float32Array(2 * dim).fill(3), dim);
  const apply = inverseCurvature(await sharedCurvature(cpuBackend, constant), classes, 10);
  const out = apply(new Float64Array(classes * (dim + 1)).fill(1));
  expect(out.every(Number.isFinite)).toBe(true);
});
