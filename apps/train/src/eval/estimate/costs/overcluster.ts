/** What overclustering costs: k-means of reduced tokens, whose steps are counted as if none came to its end early. */
import { type EvalBackend, kMeans, matrix, overclustering } from '@franca/evals';
import { follow, type OverclusterValues, PAPER_OVERCLUSTER, type ProtocolOptions } from '../../paper-protocol';
import { madeUpPatches, madeUpRows, type PatchShape, repeated } from '../made-up';
import type { CostQuestion, TaskCost, Work } from '../task-cost';
import { floats, gridOf, patchesOf } from './readings';

export interface OverclusterCostOptions extends ProtocolOptions, Partial<OverclusterValues> {
  readonly onlyClasses?: boolean;
}

const COMPONENTS = 50;
const STEPS = 100;
const RESTARTS = 5;
const SEEDS = 5;
/** Points that a centroid is fitted to, at most. */
const POINTS_PER_CENTROID = 256;
const SIDE = 100;

/** Points of one k-means, and how often all of them are assigned at most. */
export const kMeansSizes = (
  points: number,
  clusters: number,
  runs: number,
): { readonly points: number; readonly assigned: number } => ({
  points: Math.min(points, POINTS_PER_CENTROID * clusters),
  assigned: runs * (STEPS + 1) * Math.min(points, POINTS_PER_CENTROID * clusters),
});

export async function overclusterCost(question: CostQuestion, options: OverclusterCostOptions): Promise<TaskCost> {
  const { session, backend, context, sets } = question;
  const { test } = await sets('dense');
  const { protocol } = options;
  const asked = { task: 'overcluster', protocol, paper: PAPER_OVERCLUSTER, given: options, input: context.input() };
  const { values } = follow(asked);
  const grid = gridOf(session);
  const dim = session.model.config.embedDim;
  const classes = test.classes.length;
  const points = test.length * grid[0] * grid[1];
  const counts = values.clusters ?? usualCounts(classes, points).slice(0, options.onlyClasses ? 1 : undefined);
  const seeds = values.seeds?.length ?? SEEDS;
  const cols = Math.min(COMPONENTS, dim);
  const shape: PatchShape = { dim, grid, side: session.size, classes };
  return {
    reads: [patchesOf(session, test, protocol && PAPER_OVERCLUSTER.look)],
    work: [
      ...reductionWork(backend, shape, { images: test.length, maps: test.length * seeds * counts.length }),
      ...counts.flatMap((clusters) => [
        stepsWork(backend, { clusters, cols, ...kMeansSizes(points, clusters, seeds * RESTARTS) }),
        ...(values.start === 'random' ? [] : [startWork(backend, { clusters, cols, runs: seeds * RESTARTS, points })]),
      ]),
    ],
    held: {
      host: 2 * floats(points, cols) + test.length * SIDE ** 2,
      device: floats(4096, Math.max(...counts)),
    },
    unknown: [`when k-means comes to rest: all its ${STEPS} steps are counted`],
  };
}

/** As the task takes them where none are asked for. */
const PATCHES_PER_CLUSTER = 32;
const usualCounts = (classes: number, patches: number): number[] => [
  classes,
  ...[100, 300, 500].filter((count) => PATCHES_PER_CLUSTER * count <= patches),
];

/** Principal components of all tokens, and the maps of clusters compared with masks. */
function reductionWork(
  backend: EvalBackend,
  shape: PatchShape,
  { images, maps }: { readonly images: number; readonly maps: number },
): Work[] {
  const clusters = [Math.min(8, shape.grid[0] * shape.grid[1])];
  const options = { backend, classes: shape.classes, clusters, iterations: 0, restarts: 1, start: 'random' } as const;
  const one = madeUpPatches(1, shape);
  const run = (count: number, seeds: number): Promise<unknown> =>
    overclustering([...repeated(one, count)], { ...options, seeds: Array.from({ length: seeds }, (_, i) => i) });
  return [
    { name: 'principal components', units: images, trial: (scale) => ({ units: scale, run: () => run(scale, 1) }) },
    { name: 'maps of clusters', units: maps, trial: (scale) => ({ units: 8 * scale, run: () => run(8, scale) }) },
  ];
}

interface Clustering {
  readonly clusters: number;
  readonly cols: number;
}

const POINTS = 8192;

/** Steps of Lloyd: `assigned` points in all of them. */
export function stepsWork(
  backend: EvalBackend,
  { clusters, cols, points, assigned }: Clustering & { readonly points: number; readonly assigned: number },
): Work {
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

/** Start points by k-means++, each of which is as far from all points as chance has it. */
function startWork(
  backend: EvalBackend,
  { clusters, cols, runs, points }: Clustering & { readonly runs: number; readonly points: number },
): Work {
  const some = Math.min(points, 1024);
  const fewer = Math.min(clusters, some);
  const fitted = Math.min(points, POINTS_PER_CENTROID * clusters);
  return {
    name: `starts of ${clusters} clusters`,
    units: runs * fitted * clusters,
    trial: (scale) => ({
      units: scale * some * fewer,
      run: () =>
        kMeans(backend, matrix(madeUpRows(some, cols), cols), {
          ...{ clusters: fewer, iterations: 0, restarts: scale, seed: 0 },
        }),
    }),
  };
}
