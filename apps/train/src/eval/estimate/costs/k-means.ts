/** What k-means costs: in each step of Lloyd all points are compared with all centroids. When it comes to rest depends on the points. */
import { type EvalBackend, kMeans, matrix } from '@franca/evals';
import { madeUpRows } from '../made-up';
import type { Work } from '../task-cost';

/** On patches of 20 photographs it took 37 on average for 21 clusters, and 23 for 100. */
const STEPS = 40;
const MOST_STEPS = 100;
/** Points that a centroid is fitted to, at most. */
const POINTS_PER_CENTROID = 256;

export const STEPS_UNKNOWN: string = `when k-means comes to rest: ${STEPS} steps are counted, ${MOST_STEPS} are the most`;

export interface KMeansSizes {
  /** That are fitted. */
  readonly points: number;
  /** Over all steps of all runs. */
  readonly assigned: number;
}

export function kMeansSizes(all: number, clusters: number, runs: number): KMeansSizes {
  const points = Math.min(all, POINTS_PER_CENTROID * clusters);
  return { points, assigned: runs * (STEPS + 1) * points };
}

export interface Clustering {
  readonly clusters: number;
  /** Numbers of a point. */
  readonly cols: number;
}

const POINTS = 8192;

export function stepsWork(backend: EvalBackend, { clusters, cols, points, assigned }: Clustering & KMeansSizes): Work {
  const some = Math.max(clusters, Math.min(points, POINTS));
  const common = { clusters, restarts: 1, seed: 0, start: 'random' } as const;
  return {
    name: `k-means, ${clusters} clusters`,
    units: assigned,
    trial: (scale) => ({
      units: (scale + 1) * some,
      run: () => kMeans(backend, matrix(madeUpRows(some, cols), cols), { ...common, iterations: scale }),
    }),
  };
}

const STARTED = 1024;

/** Start points by k-means++: the distances of all points to each that is chosen. */
export function startWork(
  backend: EvalBackend,
  { clusters, cols, runs, points }: Clustering & { readonly runs: number; readonly points: number },
): Work {
  const some = Math.min(points, STARTED);
  const fewer = Math.min(clusters, some);
  return {
    name: `starts of ${clusters} clusters`,
    units: runs * points * clusters,
    trial: (scale) => ({
      units: scale * some * fewer,
      run: () =>
        kMeans(backend, matrix(madeUpRows(some, cols), cols), {
          ...{ clusters: fewer, iterations: 0, restarts: scale, seed: 0 },
        }),
    }),
  };
}
