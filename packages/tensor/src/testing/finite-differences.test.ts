import { expect, test } from 'vitest';
import { checkDifferences } from './finite-differences';
import { normals } from './normals';

/** L(x) = sum_i c_i sin(x_i) + (sum_i x_i)^2 / 2, whose gradient is c_i cos(x_i) + sum_j x_j. */
function example(count: number) {
  const [x, c] = [normals(count, 1), normals(count, 2)];
  const total = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
  return {
    x,
    loss: (at: Float64Array): number => total(at.map((value, i) => c[i]! * Math.sin(value))) + total(at) ** 2 / 2,
    gradient: x.map((value, i) => c[i]! * Math.cos(value) + total(x)),
  };
}

test.each([1, 300, 5_000])('a right gradient of %i elements passes with room to spare', (count) => {
  const { error, wrong } = checkDifferences({ ...example(count), directions: 16 }, 1e-5);
  expect(error).toBeLessThan(1e-7);
  expect(wrong).toBeUndefined();
});

test('one wrong element is found and named wherever it is', () => {
  const problem = { ...example(300), directions: 16 };
  for (let at = 0; at < 300; at++) {
    const gradient = problem.gradient.map((value, i) => (i === at ? value + 0.1 : value));
    const { wrong } = checkDifferences({ ...problem, gradient }, 1e-5);
    expect(wrong?.at).toBe(at);
    expect(wrong!.analytic - wrong!.numeric).toBeCloseTo(0.1, 6);
  }
});

test.each([0, 1003, 1_999])('element %i of 2,000 is found from a single direction', (at) => {
  const problem = { ...example(2_000), directions: 1 };
  const gradient = problem.gradient.map((value, i) => (i === at ? value + 1 : value));
  expect(checkDifferences({ ...problem, gradient }, 1e-5).wrong?.at).toBe(at);
});

test('errors of opposite sign do not cancel: two elements that changed places', () => {
  const problem = { ...example(300), directions: 1 };
  const [low, high] = [
    problem.gradient.indexOf(Math.min(...problem.gradient)),
    problem.gradient.indexOf(Math.max(...problem.gradient)),
  ];
  const gradient = problem.gradient.slice();
  [gradient[low], gradient[high]] = [gradient[high]!, gradient[low]!];
  expect([low, high]).toContain(checkDifferences({ ...problem, gradient }, 1e-5).wrong?.at);
});

test('a gradient that is not a number is wrong', () => {
  const problem = { ...example(300), directions: 16 };
  const gradient = problem.gradient.map((value, i) => (i === 123 ? Number.NaN : value));
  expect(checkDifferences({ ...problem, gradient }, 1e-5)).toMatchObject({
    error: Number.POSITIVE_INFINITY,
    wrong: { at: 123 },
  });
});
