import { expect, test } from 'vitest';
import { lbfgs, type Objective } from './lbfgs';

const rosenbrock: Objective = async (x, gradient) => {
  let value = 0;
  gradient.fill(0);
  for (let i = 0; i + 1 < x.length; i++) {
    const bend = x[i + 1]! - x[i]! ** 2;
    const gap = 1 - x[i]!;
    value += 100 * bend ** 2 + gap ** 2;
    gradient[i]! += -400 * x[i]! * bend - 2 * gap;
    gradient[i + 1]! += 200 * bend;
  }
  return value;
};

test('the curved valley of Rosenbrock in 10 dimensions is followed to its minimum', async () => {
  const start = Float64Array.from({ length: 10 }, (_, i) => (i % 2 ? 1 : -1.2));
  const { x, stopped, iterations } = await lbfgs(rosenbrock, start, { gradientTolerance: 1e-9 });
  expect(stopped).toBe('gradient');
  expect(iterations).toBeLessThan(200);
  for (const value of x) expect(value).toBeCloseTo(1, 8);
});

test('an ill-conditioned quadratic is solved to rounding', async () => {
  const scales = [1, 1e2, 1e4, 1e6];
  const quadratic: Objective = async (x, gradient) => {
    scales.forEach((scale, i) => {
      gradient[i] = scale * (x[i]! - i);
    });
    return scales.reduce((sum, scale, i) => sum + 0.5 * scale * (x[i]! - i) ** 2, 0);
  };
  const { x } = await lbfgs(quadratic, new Float64Array(4).fill(5), { gradientTolerance: 1e-8 });
  for (const [i, value] of x.entries()) expect(value).toBeCloseTo(i, 7);
});

test('a minimum at the start needs no step, and a limit on iterations is kept and said', async () => {
  expect(await lbfgs(rosenbrock, new Float64Array(4).fill(1), { gradientTolerance: 0 })).toMatchObject({
    iterations: 0,
  });
  const short = await lbfgs(rosenbrock, new Float64Array(4), { gradientTolerance: 1e-9, maxIterations: 3 });
  expect(short).toMatchObject({ iterations: 3, stopped: 'iterations' });
});

test('a function without a minimum ends as a failed line search, not as a hang', async () => {
  const falling: Objective = async (x, gradient) => {
    gradient[0] = -1;
    return -x[0]!;
  };
  expect((await lbfgs(falling, new Float64Array(1), { gradientTolerance: 1e-9 })).stopped).toBe('line-search');
});
