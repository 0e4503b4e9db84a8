/**
 * k-means on the backend, with k-means++ or random start points and restarts. Lloyd's alternation (points go to their
 * nearest centroid, centroids to the mean of their points) is repeated, and the run with the smallest sum of squared
 * distances kept.
 *
 * A cluster that loses all its points is started again by splitting the largest one: both halves begin a factor of (1
 * +- 1/1024) apart, with alternating sign along the dimensions. Like faiss, at most `256 * clusters` points (a random
 * sample) are used for fitting.
 *
 * Sources: Lloyd 1982; Arthur & Vassilvitskii 2007 (k-means++); faiss for splitting and sampling.
 */
import type { OptionKinds } from '@franca/tensor';
import type { EvalBackend, KMeansSession } from '../backend/eval-backend';
import { checkSet, ROWS } from '../check-features';
import { checkBackend, checkOption, checkOptions } from '../errors';
import { type Matrix, takeRows } from '../matrix';
import { permutation, type Random, random } from '../numerics/random';

/** Options of `kMeans`. */
export interface KMeansOptions {
  readonly clusters: number;
  /** Largest number of Lloyd steps; stops earlier at a fixed point. Default 100. */
  readonly iterations?: number;
  /** Default 5. */
  readonly restarts?: number;
  readonly seed: number;
  /** `random`: distinct points drawn uniformly, as faiss does. Default `k-means++`. */
  readonly start?: 'k-means++' | 'random';
}

const OPTIONS: OptionKinds<KMeansOptions> = {
  clusters: 'number',
  iterations: 'number',
  restarts: 'number',
  seed: 'number',
  start: ['k-means++', 'random'],
};

export interface KMeans {
  /** `[clusters, D]`. */
  readonly centroids: Matrix;
  /** Sum of squared distances of the fitted points to their centroids. */
  readonly inertia: number;
}

const POINTS_PER_CENTROID = 256;

/** @throws EvalsError `bad-option` when there are fewer points than clusters. */
export async function kMeans(backend: EvalBackend, points: Matrix, options: KMeansOptions): Promise<KMeans> {
  checkBackend('kMeans', backend);
  checkSet('kMeans: points', points, ROWS);
  checkOptions('kMeans', options, OPTIONS);
  const { clusters, iterations = 100, restarts = 5, seed, start = 'k-means++' } = options;
  checkOption(
    Number.isInteger(clusters) && clusters >= 1 && clusters <= points.rows,
    `cannot form ${clusters} clusters of ${points.rows} points`,
  );
  checkOption(
    restarts >= 1 && iterations >= 0,
    `restarts is ${restarts}, iterations ${iterations}; they must be at least 1 and 0`,
  );
  const draws = random(seed);
  const limit = POINTS_PER_CENTROID * clusters;
  const sample =
    points.rows > limit ? takeRows(points, permutation(points.rows, draws).subarray(0, limit).sort()) : points;
  using session = backend.openKMeans(sample);
  let best: KMeans | undefined;
  for (let run = 0; run < restarts; run++) {
    const centroids =
      start === 'random'
        ? takeRows(sample, permutation(sample.rows, draws).subarray(0, clusters))
        : await plusPlus(session, sample, clusters, draws);
    const fitted = await lloyd(session, centroids, iterations);
    if (!best || fitted.inertia < best.inertia) best = fitted;
  }
  return best!;
}

/** Lloyd's alternation from given centroids, at most `iterations` steps. */
export async function lloyd(session: KMeansSession, start: Matrix, iterations: number): Promise<KMeans> {
  let centroids = start;
  for (let i = 0; i < iterations; i++) {
    const { sums, counts } = await session.accumulate(centroids);
    const data = sums.map((value, d) => value / Math.max(1, counts[Math.floor(d / start.cols)]!));
    splitForEmpty(data, counts);
    const next = { ...start, data: Float32Array.from(data) };
    const moved = next.data.some((value, d) => value !== centroids.data[d]);
    centroids = next;
    if (!moved) break;
  }
  return { centroids, inertia: (await session.accumulate(centroids)).inertia };
}

/** Gives every cluster without points one half of the largest cluster (the lowest on ties). */
function splitForEmpty(centroids: Float64Array, counts: Float64Array): void {
  const cols = centroids.length / counts.length;
  counts.forEach((count, empty) => {
    if (count > 0) return;
    const largest = counts.indexOf(counts.reduce((max, value) => Math.max(max, value), 0));
    for (let d = 0; d < cols; d++) {
      const value = centroids[largest * cols + d]!;
      const shift = (value * (d % 2 === 0 ? 1 : -1)) / 1024;
      centroids[empty * cols + d] = value + shift;
      centroids[largest * cols + d] = value - shift;
    }
    counts[empty] = counts[largest]! / 2;
    counts[largest]! /= 2;
  });
}

/** k-means++: each further start point is drawn with probability proportional to its squared distance to those chosen. */
async function plusPlus(session: KMeansSession, points: Matrix, clusters: number, draws: Random): Promise<Matrix> {
  const chosen = [draws.integer(points.rows)];
  const nearest = new Float64Array(points.rows).fill(Number.POSITIVE_INFINITY);
  while (chosen.length < clusters) {
    const { distances } = await session.assign(takeRows(points, [chosen.at(-1)!]));
    let total = 0;
    for (let i = 0; i < nearest.length; i++) {
      nearest[i] = Math.min(nearest[i]!, distances[i]!);
      total += nearest[i]!;
    }
    chosen.push(total > 0 ? drawIndex(nearest, draws.uniform() * total) : draws.integer(points.rows));
  }
  return takeRows(points, chosen);
}

/** The first index at which the running sum of the weights exceeds `target`. */
function drawIndex(weights: Float64Array, target: number): number {
  let sum = 0;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    sum += weights[i]!;
    last = i;
    if (sum > target) return i;
  }
  return last;
}
