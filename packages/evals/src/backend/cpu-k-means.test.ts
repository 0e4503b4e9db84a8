import { expect, test } from 'vitest';
import { gaussian } from '../../test/support';
import { openKMeans } from './cpu-k-means';

test('every point gets its nearest centroid, its squared distance, and enters that sum', async () => {
  const points = gaussian(600, 4, 1);
  const centroids = gaussian(11, 4, 2);
  using session = openKMeans(points);
  const { labels, distances } = await session.assign(centroids);
  const { sums, counts, inertia } = await session.accumulate(centroids);
  const expectedSums = new Float64Array(44);
  let expectedInertia = 0;
  for (let i = 0; i < points.rows; i++) {
    const all = Array.from({ length: 11 }, (_, c) => {
      let distance = 0;
      for (let d = 0; d < 4; d++) distance += (points.data[i * 4 + d]! - centroids.data[c * 4 + d]!) ** 2;
      return distance;
    });
    const nearest = all.indexOf(Math.min(...all));
    expect(labels[i]).toBe(nearest);
    expect(distances[i]).toBeCloseTo(all[nearest]!, 10);
    for (let d = 0; d < 4; d++) expectedSums[nearest * 4 + d]! += points.data[i * 4 + d]!;
    expectedInertia += all[nearest]!;
  }
  expect(sums).toEqual(expectedSums);
  expect(inertia).toBeCloseTo(expectedInertia, 8);
  expect(counts.reduce((a, b) => a + b)).toBe(600);
});

test('a point as near to two centroids goes to the lower one', async () => {
  using session = openKMeans({ data: Float32Array.of(0, 3), rows: 2, cols: 1 });
  const { labels } = await session.assign({ data: Float32Array.of(1, -1, 1), rows: 3, cols: 1 });
  expect(labels).toEqual(Int32Array.of(0, 0));
});
