import { expect, test } from 'vitest';
import { blobs, gaussian } from '../../test/support';
import { cpuBackend } from '../backend/cpu';
import type { Matrix } from '../matrix';
import { kMeans, lloyd } from './k-means';

const column = (...values: number[]): Matrix => ({ data: Float32Array.from(values), rows: values.length, cols: 1 });
const sorted = (m: Matrix) => [...m.data].toSorted((a, b) => a - b);

test('well separated groups are found, each centroid at the mean of its group', async () => {
  const { centroids, inertia } = await kMeans(cpuBackend, column(0, 1, 2, 100, 101, 102, -50), {
    clusters: 3,
    seed: 0,
  });
  expect(sorted(centroids)).toEqual([-50, 1, 101]);
  expect(inertia).toBeCloseTo(4, 9);
});

test('the result is a fixed point: each centroid is the mean of the points nearest to it', async () => {
  const points = gaussian(500, 3, 1);
  const { centroids } = await kMeans(cpuBackend, points, { clusters: 7, seed: 3, iterations: 300 });
  using session = cpuBackend.openKMeans(points);
  const { sums, counts } = await session.accumulate(centroids);
  sums.forEach((sum, i) => {
    expect(sum / counts[Math.floor(i / 3)]!).toBeCloseTo(centroids.data[i]!, 5);
  });
});

test('a cluster that loses its points splits the largest one', async () => {
  using session = cpuBackend.openKMeans(column(10, 11, 20, 21, 22, 23));
  // The third start centroid is nearest to no point.
  const { centroids, inertia } = await lloyd(session, column(10.5, 21, 1000), 50);
  // {10, 11}, {20, 21}, {22, 23} or {20}, {21, 22, 23} and the like: three used clusters, none left at 1000.
  expect(Math.max(...centroids.data)).toBeLessThan(24);
  expect((await session.accumulate(centroids)).counts.every((count) => count > 0)).toBe(true);
  expect(inertia).toBeLessThan((await lloyd(session, column(10.5, 21.5), 50)).inertia);
});

test('identical points leave clusters without points, not NaN', async () => {
  const { centroids, inertia } = await kMeans(cpuBackend, column(5, 5, 5, 5), { clusters: 3, seed: 1 });
  expect([...centroids.data].every(Number.isFinite)).toBe(true);
  // A split moves a centroid by a factor of 1/1024 of its place: at most 4 points x (5 / 1024)^2.
  expect(inertia).toBeLessThan(1e-4);
});

test('more restarts never give a worse result, and the seed fixes it', async () => {
  const { cls } = blobs({ classes: 12, perClass: 20, dim: 2, noise: 0.05, seed: 1 });
  const points = { data: cls, rows: 240, cols: 2 };
  const run = async (restarts: number) =>
    (await kMeans(cpuBackend, points, { clusters: 12, seed: 5, restarts, start: 'random' })).inertia;
  expect(await run(8)).toBeLessThanOrEqual(await run(1));
  expect(await run(2)).toBe(await run(2));
});

test('more clusters than points are refused', async () => {
  await expect(kMeans(cpuBackend, column(1, 2), { clusters: 3, seed: 0 })).rejects.toThrow(/3 clusters of 2 points/);
});
