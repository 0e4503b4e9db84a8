import { expect, test } from 'vitest';
import { type Eigenpair, largestEigenpair, type SymmetricOperator } from './lanczos';
import { random } from './random';
import { symmetricEigen } from './symmetric-eigen';

/** Q diag(values) Q^T with a drawn orthogonal Q, as rows; and Q's columns are its eigenvectors. */
function withSpectrum(values: readonly number[], seed: number): { matrix: Float64Array; operator: SymmetricOperator } {
  const size = values.length;
  const draws = random(seed);
  const drawn = Float64Array.from({ length: size * size }, () => draws.normal());
  const symmetric = drawn.map((value, i) => value + drawn[(i % size) * size + Math.floor(i / size)]!);
  const { vectors } = symmetricEigen(symmetric, size);
  const matrix = new Float64Array(size * size);
  for (const [k, value] of values.entries())
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) matrix[i * size + j]! += value * vectors[k * size + i]! * vectors[k * size + j]!;
  const apply = (x: Float64Array, out: Float64Array): void => {
    for (let i = 0; i < size; i++) out[i] = x.reduce((sum, value, j) => sum + matrix[i * size + j]! * value, 0);
  };
  return { matrix, operator: { size, apply } };
}

const noise = (size: number) => {
  const draws = random(9);
  return Float64Array.from({ length: size }, () => draws.normal());
};
const find = (operator: SymmetricOperator, deflated: readonly Float64Array[] = [], limit = 5000): Eigenpair =>
  largestEigenpair(operator, noise(operator.size), { deflated, tolerance: 1e-14, limit })!;
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

const spread = Array.from({ length: 150 }, (_, i) => Math.cos(i * i));
test.each([
  ['a spectrum without order', spread],
  ['negative values only', spread.map((value) => value - 1.5)],
  ['a pair a millionth apart', [1, 1 - 1e-6, ...spread.map((value) => 0.9 * value)]],
  ['a crowd at the top', Array.from({ length: 200 }, (_, i) => 1 - (i / 200) ** 2 / 50)],
  ['fewer places than vectors of a basis', [0.5, 0.25, -1]],
  ['one place', [-0.25]],
])('%s: the largest value, then the next, as they were made', (_, values) => {
  const { operator } = withSpectrum(values, 3);
  const [first, second] = values.toSorted((a, b) => b - a);
  const top = find(operator);
  expect(top.value).toBeCloseTo(first!, 12);
  expect(top.residual).toBeLessThan(1e-12);
  expect(dot(top.vector, top.vector)).toBeCloseTo(1, 14);
  if (second === undefined) return;
  const next = find(operator, [top.vector]);
  expect(next.value).toBeCloseTo(second, 12);
  expect(Math.abs(dot(top.vector, next.vector))).toBeLessThan(1e-12);
});

test('a value that occurs three times is found three times', () => {
  const { operator } = withSpectrum([0.7, 0.7, 0.7, ...spread.map((value) => 0.5 * value)], 4);
  const found: Eigenpair[] = [];
  for (let i = 0; i < 4; i++)
    found.push(
      find(
        operator,
        found.map(({ vector }) => vector),
      ),
    );
  for (const { value } of found.slice(0, 3)) expect(value).toBeCloseTo(0.7, 12);
  expect(found[3]!.value).toBeCloseTo(0.5 * Math.max(...spread), 12);
});

test('a start inside of what is deflated leads nowhere', () => {
  const { operator } = withSpectrum([1, 0.5, 0.2], 5);
  const { vector } = find(operator);
  const start = vector.map((value) => 3 * value);
  expect(largestEigenpair(operator, start, { deflated: [vector], tolerance: 1e-14, limit: 10 })).toBeUndefined();
});

test('what does not converge within the limit says so by its residual', () => {
  const { operator } = withSpectrum(
    Array.from({ length: 120 }, (_, i) => 1 - i / 1e4),
    6,
  );
  const { iterations, residual } = find(operator, [], 10);
  expect(iterations).toBeLessThanOrEqual(11);
  expect(residual).toBeGreaterThan(1e-6);
});
