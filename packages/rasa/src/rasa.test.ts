import { normals } from '@franca/tensor/testing';
import { describe, expect, test } from 'vitest';
import { foldAfterNorm, foldIntoConsumer } from './fold';
import { fromOfficial, toOfficial } from './official-keys';
import { chainBases, planeBasis, projectionMatrix, removePlanes } from './planes';
import { constantError } from './position-head';

const D = 16;
const randomHeads = (count: number) =>
  Array.from({ length: count }, (_, t) => Float32Array.from(normals(2 * D, t + 1)));
const times = (A: Float64Array, B: Float64Array) =>
  Float64Array.from({ length: D * D }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < D; k++) sum += A[Math.floor(i / D) * D + k]! * B[k * D + (i % D)]!;
    return sum;
  });
const largest = (values: Float64Array) => values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);

describe('planes', () => {
  test('the worked example: z = (1, 2, 3, 4), rows (1, 1, 0, 0) and (1, 0, 1, 0)', () => {
    const z = Float64Array.of(1, 2, 3, 4);
    removePlanes(z, 4, [planeBasis(Float64Array.of(1, 1, 0, 0, 1, 0, 1, 0), 4)]);
    [-4 / 3, 4 / 3, 4 / 3, 4].forEach((value, i) => {
      expect(z[i]).toBeCloseTo(value, 12);
    });
  });
  test('mutually orthogonal planes make an orthogonal projection of rank D - 2 T; the official chain does not', () => {
    const heads = randomHeads(5);
    const L = projectionMatrix(chainBases(heads, D), D);
    const official = projectionMatrix(chainBases(heads, D, false), D);
    const trace = L.reduce((sum, value, i) => sum + (i % (D + 1) === 0 ? value : 0), 0);
    expect(trace).toBeCloseTo(D - 10, 9);
    expect(largest(times(L, L).map((value, i) => value - L[i]!))).toBeLessThan(1e-12);
    expect(largest(times(official, official).map((value, i) => value - official[i]!))).toBeGreaterThan(1e-3);
  });
  test('rows that are not whole are refused', () => {
    expect(() => removePlanes(new Float32Array(10), 4, [])).toThrow(/10 values are no rows of 4/);
  });
  test('parallel rows are refused', () => {
    expect(() => planeBasis(Float64Array.of(1, 2, 2, 4), 2)).toThrow(/spans no plane/);
  });
});

describe('folding gives the same numbers', () => {
  const L = projectionMatrix(chainBases(randomHeads(3), D), D);
  test('after the norm', () => {
    const [gamma, beta, xhat] = [normals(D, 11), normals(D, 12), normals(D, 13)];
    const z = xhat.map((value, i) => value * gamma[i]! + beta[i]!);
    const projected = Float64Array.from({ length: D }, (_, j) =>
      z.reduce((sum, value, i) => sum + value * L[i * D + j]!, 0),
    );
    const { weight, bias } = foldAfterNorm(L, gamma, beta);
    for (let j = 0; j < D; j++)
      expect(xhat.reduce((sum, value, i) => sum + value * weight[j * D + i]!, bias[j]!)).toBeCloseTo(projected[j]!, 5);
  });
  test('into a consumer', () => {
    const [W, z] = [normals(3 * D, 14), normals(D, 15)];
    const projected = Float64Array.from({ length: D }, (_, j) =>
      z.reduce((sum, value, i) => sum + value * L[i * D + j]!, 0),
    );
    const folded = foldIntoConsumer(L, W, D);
    for (let o = 0; o < 3; o++) {
      const expected = projected.reduce((sum, value, j) => sum + value * W[o * D + j]!, 0);
      expect(z.reduce((sum, value, i) => sum + value * folded[o * D + i]!, 0)).toBeCloseTo(expected, 5);
    }
  });
});

test('official names there and back, with prefixes', () => {
  const heads = randomHeads(3);
  const named = Object.fromEntries(
    Object.entries(toOfficial(heads)).map(([name, values]) => [`module.rasa_head.${name}`, values]),
  );
  expect(fromOfficial(named)).toEqual(heads);
  const bases = chainBases(heads, D);
  // orthonormal rows of orthogonal planes are the same removal in the official chain; stored in f32
  const again = projectionMatrix(chainBases(fromOfficial(toOfficial(bases)), D, false), D);
  const L = projectionMatrix(bases, D);
  expect(largest(again.map((value, i) => value - L[i]!))).toBeLessThan(1e-6);
  expect(() => fromOfficial({ 'pre_pos_layers.0.weight': heads[0]! })).toThrow(/no "pos_pred\.weight"/);
});

test('the error of a constant prediction as published: 0.0944 for 16 x 16, 0.0880 for 37 x 37', () => {
  expect(constantError([16, 16])).toBeCloseTo(0.0944, 4);
  expect(constantError([37, 37])).toBeCloseTo(0.088, 4);
});
