import { expect, test } from 'vitest';
import { gaussian } from '../../test/support';
import type { PatchFeatures } from '../features';
import { positionDecodability } from './position-decodability';

const grid = [4, 6] as const;

/** Tokens of 10 images: noise, plus the position in chosen dimensions. */
function tokens(seed: number, strength: number): PatchFeatures {
  const noise = gaussian(10 * 24, 5, seed);
  const patches = noise.data.map((value, i) => {
    const cell = Math.floor(i / 5) % 24;
    if (i % 5 === 0) return value + strength * Math.floor(cell / 6);
    return i % 5 === 1 ? value - strength * (cell % 6) : value;
  });
  return { dim: 5, grid, patches };
}

test('tokens that hold the position exactly are read without error', async () => {
  const patches = Float32Array.from({ length: 2 * 24 * 2 }, (_, i) =>
    i % 2 ? 7 - (Math.floor(i / 2) % 6) : Math.floor((Math.floor(i / 2) % 24) / 6),
  );
  const features = { dim: 2, grid, patches };
  const { r2, mse } = await positionDecodability(features, features, { ridge: 0 });
  for (const axis of [0, 1]) {
    expect(r2[axis]).toBeCloseTo(1, 6);
    expect(mse[axis]).toBeCloseTo(0, 6);
  }
});

test('noise is read no better than chance, whose error is the variance of the grid', async () => {
  const { outcome } = await positionDecodability(tokens(1, 0), tokens(2, 0));
  expect(Math.abs(outcome.value)).toBeLessThan(0.1);
  // Variance of i / (n - 1), i = 0..n-1, is (n + 1) / (12 (n - 1)): 5 / 36 and 7 / 60.
  expect(outcome.others['MSE of chance']).toBeCloseTo((5 / 36 + 7 / 60) / 2, 6);
  expect(outcome.others.MSE! / outcome.others['MSE of chance']!).toBeCloseTo(1, 0);
});

test('the error is that of applying the map to each test token', async () => {
  const [train, test] = [tokens(3, 0.5), tokens(4, 0.5)];
  const { mse, outcome } = await positionDecodability(train, test, { ridge: 0.1 });
  // The same by plain ridge regression, solved by Gauss-Seidel on the centred normal equations.
  const rows = (f: PatchFeatures) => Array.from({ length: 240 }, (_, i) => [...f.patches.subarray(i * 5, i * 5 + 5)]);
  const target = (i: number) => Math.floor((i % 24) / 6) / 3;
  const x = rows(train);
  const mean = [0, 1, 2, 3, 4].map((d) => x.reduce((sum, row) => sum + row[d]!, 0) / 240);
  const cov = (a: (i: number) => number, b: (i: number) => number) =>
    Array.from({ length: 240 }, (_, i) => a(i) * b(i)).reduce((s, v) => s + v, 0) / 240;
  const centred = (d: number) => (i: number) => x[i]![d]! - mean[d]!;
  const variance = [0, 1, 2, 3, 4].reduce((sum, d) => sum + cov(centred(d), centred(d)), 0) / 5;
  const weights = [0, 0, 0, 0, 0];
  for (let sweep = 0; sweep < 200; sweep++) {
    for (let d = 0; d < 5; d++) {
      const others = weights.reduce((sum, w, e) => (e === d ? sum : sum + w * cov(centred(d), centred(e))), 0);
      weights[d] = (cov(centred(d), (i) => target(i) - 0.5) - others) / (cov(centred(d), centred(d)) + 0.1 * variance);
    }
  }
  const errors = rows(test).map(
    (row, i) => 0.5 + row.reduce((sum, v, d) => sum + weights[d]! * (v - mean[d]!), 0) - target(i),
  );
  expect(mse[0]).toBeCloseTo(errors.reduce((sum, e) => sum + e * e, 0) / 240, 6);
  expect(outcome.value).toBeGreaterThan(0.3);
});

test('constant tokens say nothing', async () => {
  const features = { dim: 3, grid, patches: new Float32Array(24 * 3).fill(2) };
  expect((await positionDecodability(features, features)).outcome.value).toBeCloseTo(0, 9);
});

test('test features of another width are refused', async () => {
  const other = { dim: 4, grid, patches: new Float32Array(24 * 4) };
  await expect(positionDecodability(tokens(1, 0), other)).rejects.toThrow(/5 dimensions, test 4/);
});
