/** Lloyd's step for a given assignment of points, in f64: distances to the chosen centroids, sums and counts. */
import type { Matrix } from '../matrix';
import type { Assignment, ClusterSums } from './eval-backend';

/** Squared distance of each point to the centroid that it is labelled with, in f64. */
export function nearestDistances(points: Matrix, centroids: Matrix, labels: Int32Array): Float64Array {
  const { cols, data } = points;
  const distances = new Float64Array(labels.length);
  for (let i = 0; i < distances.length; i++) {
    const [own, nearest] = [i * cols, labels[i]! * cols];
    let distance = 0;
    for (let d = 0; d < cols; d++) {
      const difference = data[own + d]! - centroids.data[nearest + d]!;
      distance += difference * difference;
    }
    distances[i] = distance;
  }
  return distances;
}

/** What Lloyd's step needs of an assignment: points are added up in their order. */
export function sumClusters(points: Matrix, clusters: number, { labels, distances }: Assignment): ClusterSums {
  const { cols, data } = points;
  const sums = new Float64Array(clusters * cols);
  const counts = new Float64Array(clusters);
  for (let i = 0; i < points.rows; i++) {
    const to = labels[i]! * cols;
    for (let d = 0; d < cols; d++) sums[to + d]! += data[i * cols + d]!;
    counts[labels[i]!]! += 1;
  }
  return { sums, counts, inertia: distances.reduce((total, distance) => total + distance, 0) };
}
