import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gaussian } from '../../test/support';
import { type Matrix, rowRange } from '../matrix';
import { bilinear } from '../numerics/bilinear';
import { cpuBackend } from './cpu';
import type { GramSession } from './eval-backend';
import { gpuBackend } from './gpu';
import { countPairs } from './gpu-count-pairs';
import { planCache } from './plan-cache';

let gpu: Gpu;
let backend: ReturnType<typeof gpuBackend>;
beforeAll(async () => {
  gpu = await openGpu();
  backend = gpuBackend(gpu);
});
afterAll(async () => {
  backend[Symbol.dispose]();
  await gpu.dispose();
});

/** Unit roundoff of f32: a sum of n products is off by at most (n + 1) u times the sum of their sizes. */
const u = 2 ** -24;

describe.each([
  { rows: 1, others: 1, cols: 1 },
  { rows: 0, others: 3, cols: 2 },
  { rows: 131, others: 67, cols: 7 },
  { rows: 1031, others: 3, cols: 12 },
  { rows: 3, others: 4099, cols: 5 },
])('products of $rows and $others rows of $cols', ({ rows, others, cols }) => {
  test('are those of the CPU up to rounding', async () => {
    const [a, b] = [gaussian(rows, cols, 1), gaussian(others, cols, 2)];
    const [actual, expected] = [await backend.products(a, b), await cpuBackend.products(a, b)];
    const sizes = await cpuBackend.products(absolute(a), absolute(b));
    expect(actual.length).toBe(expected.length);
    expected.forEach((value, i) => {
      expect(Math.abs(actual[i]! - value)).toBeLessThanOrEqual((cols + 2) * u * sizes[i]!);
    });
  });
});

const absolute = (x: Matrix): Matrix => ({ ...x, data: x.data.map(Math.abs) });

test('rows of different widths have no products', async () => {
  await expect(backend.products(gaussian(1, 2, 1), gaussian(1, 3, 1))).rejects.toMatchObject({ code: 'features' });
});

test.each([
  { rows: 1, cols: 1, tile: 1 },
  { rows: 37, cols: 5, tile: 10 },
  { rows: 2503, cols: 13, tile: 700 },
])(
  'moments of $rows rows of $cols are those of the CPU, however far the rows lie from zero',
  async ({ rows, cols, tile }) => {
    const x = gaussian(rows, cols, 3);
    const far = { ...x, data: x.data.map((value, i) => value + 1000 * (i % cols)) };
    const [actual, expected] = [
      await streamed(backend.openGram(cols), far, tile),
      await streamed(cpuBackend.openGram(cols), far, tile),
    ];
    expect(actual.rows).toBe(rows);
    expected.sum.forEach((value, d) => {
      // the shifted rows are of order 5 at most, each rounded once
      expect(Math.abs(actual.sum[d]! - value)).toBeLessThanOrEqual(rows * 5 * u);
    });
    const covariance = ({ sum, products }: typeof actual, i: number, j: number) =>
      products[i * cols + j]! / rows - (sum[i]! / rows) * (sum[j]! / rows);
    for (let i = 0; i < cols; i++) {
      for (let j = 0; j < cols; j++) {
        // 1024 products of order 25 at most and their roundings, against f64 cancellation at 10^8
        const tolerance = 1025 * u * 25 + 1e8 * 2 ** -50;
        expect(Math.abs(covariance(actual, i, j) - covariance(expected, i, j))).toBeLessThanOrEqual(tolerance);
        expect(actual.products[i * cols + j]).toBe(actual.products[j * cols + i]);
      }
    }
  },
);

async function streamed(session: GramSession, x: Matrix, tile: number) {
  using open = session;
  for (let begin = 0; begin < x.rows; begin += tile) await open.add(rowRange(x, begin, Math.min(begin + tile, x.rows)));
  return await open.result();
}

test('no rows have no moments', async () => {
  using session = backend.openGram(3);
  expect(await session.result()).toEqual({ rows: 0, cols: 3, sum: new Float64Array(3), products: new Float64Array(9) });
});

describe.each([
  { points: 1, clusters: 1, cols: 1 },
  { points: 0, clusters: 2, cols: 3 },
  { points: 131, clusters: 7, cols: 5 },
  { points: 5003, clusters: 67, cols: 6 },
])('$points points and $clusters centroids', ({ points: rows, clusters, cols }) => {
  test('meet as on the CPU: the nearest, the lowest on ties', async () => {
    // whole numbers: all products and distances are exact
    const [points, centroids] = [gaussian(rows, cols, 4), gaussian(clusters, cols, 5)].map((x) => ({
      ...x,
      data: x.data.map(Math.round),
    })) as [Matrix, Matrix];
    using session = backend.openKMeans(points);
    using expected = cpuBackend.openKMeans(points);
    expect(await session.assign(centroids)).toEqual(await expected.assign(centroids));
    expect(await session.accumulate(centroids)).toEqual(await expected.accumulate(centroids));
  });
});

test.each([
  { pairs: 0, shape: [2, 3], ignore: undefined },
  { pairs: 1, shape: [1, 1], ignore: undefined },
  { pairs: 10007, shape: [5, 3], ignore: 1 },
  { pairs: 2 ** 20 + 77, shape: [2, 21], ignore: 255 },
] as const)('$pairs pairs are counted exactly', async ({ pairs, shape, ignore }) => {
  using plans = planCache();
  const draw = (seed: number, top: number) =>
    Int32Array.from({ length: pairs }, (_, i) => ((((i + seed) * 2654435761) >>> 7) % (top + 2)) - 1);
  const labels = { predicted: draw(1, shape[0]), target: draw(2, shape[1]), shape, ...(ignore ? { ignore } : {}) };
  expect(await countPairs(gpu, plans, labels)).toEqual(await cpuBackend.countPairs(labels));
  expect(await countPairs(gpu, plans, labels)).toEqual(await cpuBackend.countPairs(labels));
});

test.each([
  { grid: [1, 1], size: [3, 5], classes: 4 },
  { grid: [3, 2], size: [7, 11], classes: 1 },
  { grid: [14, 14], size: [100, 67], classes: 21 },
] as const)(
  'label maps of $grid patches at $size differ only where two classes are as good',
  async ({ grid, size, classes }) => {
    const scores = gaussian(grid[0] * grid[1], classes, 8);
    const [actual, expected] = [
      await backend.labelMap({ scores, grid }, size),
      await cpuBackend.labelMap({ scores, grid }, size),
    ];
    const pixels = new Float64Array(size[0] * size[1] * classes);
    bilinear(grid, size).apply(scores.data, pixels, classes);
    expect(actual.length).toBe(expected.length);
    actual.forEach((label, p) => {
      // scores of order 5 blended at positions of order 14, all rounded to f32
      const gap = pixels[p * classes + expected[p]!]! - pixels[p * classes + label]!;
      expect(gap).toBeLessThanOrEqual(5 * 2 * 14 * 4 * u);
    });
  },
);

test('equal scores name the lowest class', async () => {
  const scores = { data: Float32Array.of(1, 2, 2), rows: 1, cols: 3 };
  expect([...(await backend.labelMap({ scores, grid: [1, 1] }, [2, 2]))]).toEqual([1, 1, 1, 1]);
});
