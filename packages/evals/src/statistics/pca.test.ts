import { expect, test } from 'vitest';
import { gaussian } from '../../test/support';
import { cpuBackend } from '../backend/cpu';
import type { Matrix } from '../matrix';
import { symmetricEigen } from '../numerics/symmetric-eigen';
import { momentsOf } from './moments';
import { fitPca, projectPca } from './pca';

/** Rows with standard deviations 3, 2, 1 along the axes of a rotated frame, around (10, 20, 30). */
function ellipsoid(rows: number): Matrix {
  const base = gaussian(rows, 3, 1);
  const [a, b] = [0.6, 0.8];
  const data = new Float32Array(rows * 3);
  for (let i = 0; i < rows; i++) {
    const [u, v, w] = [3 * base.data[i * 3]!, 2 * base.data[i * 3 + 1]!, base.data[i * 3 + 2]!];
    data.set([10 + a * u - b * v, 20 + b * u + a * v, 30 + w], i * 3);
  }
  return { data, rows, cols: 3 };
}

test('eigenvalues descend, and A v = lambda v with unit vectors of fixed sign', () => {
  const a = Float64Array.of(2, 1, 0, 1, 2, 0, 0, 0, 5);
  const { values, vectors } = symmetricEigen(a, 3);
  for (const [i, value] of [5, 3, 1].entries()) {
    expect(values[i]).toBeCloseTo(value, 12);
    const v = vectors.subarray(i * 3, (i + 1) * 3);
    for (let r = 0; r < 3; r++) {
      expect(a.subarray(r * 3, (r + 1) * 3).reduce((sum, x, d) => sum + x * v[d]!, 0)).toBeCloseTo(value * v[r]!, 12);
    }
    expect(v.reduce((peak, x) => (Math.abs(x) > Math.abs(peak) ? x : peak), 0)).toBeGreaterThan(0);
  }
});

test('the directions of largest variance are found, by descending variance', async () => {
  const x = ellipsoid(20_000);
  const pca = fitPca(await momentsOf(cpuBackend, x), 2);
  // Five standard errors of a variance: 5 * sqrt(2 / n) = 5 %.
  expect(pca.variances[0]! / 9).toBeCloseTo(1, 1);
  expect(pca.variances[1]! / 4).toBeCloseTo(1, 1);
  expect(Math.abs(pca.directions.data[0]! * 0.6 + pca.directions.data[1]! * 0.8)).toBeGreaterThan(0.999);
});

test('coordinates are centred, uncorrelated, and have the variances of the model', async () => {
  const x = ellipsoid(500);
  const pca = fitPca(await momentsOf(cpuBackend, x), 3);
  const { rows, sum, products } = await momentsOf(cpuBackend, await projectPca(cpuBackend, pca, x));
  for (let a = 0; a < 3; a++) {
    expect(sum[a]! / rows).toBeCloseTo(0, 5);
    for (let b = 0; b < 3; b++) expect(products[a * 3 + b]! / rows).toBeCloseTo(a === b ? pca.variances[a]! : 0, 4);
  }
});

test('standardising gives every column the same say and silences a constant one', async () => {
  const x = gaussian(400, 3, 2);
  const data = x.data.map((value, i) => [1e3 * value, value, 7][i % 3]!);
  const pca = fitPca(await momentsOf(cpuBackend, { ...x, data }), 3, { standardise: true });
  expect(pca.variances.reduce((sum, value) => sum + value, 0)).toBeCloseTo(2, 6);
  expect(pca.scale[2]).toBe(0);
  expect(pca.scale[1]! / pca.scale[0]!).toBeGreaterThan(900);
});

test('more components than columns are refused', async () => {
  const gram = await momentsOf(cpuBackend, gaussian(5, 2, 1));
  expect(() => fitPca(gram, 3)).toThrow(/3 principal components of 2 columns/);
});
