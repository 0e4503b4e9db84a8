/** What overclustering costs: principal components of all tokens, k-means of what they are reduced to, and maps of its clusters. */
import { type EvalBackend, overclustering } from '@franca/evals';
import { follow, type OverclusterValues, PAPER_OVERCLUSTER, type ProtocolOptions } from '../../paper-protocol';
import { clusterCounts } from '../../usual-values';
import { madeUpPatches, type PatchShape, repeated } from '../made-up';
import type { CostQuestion, TaskCost, Work } from '../task-cost';
import { kMeansSizes, STEPS_UNKNOWN, startWork, stepsWork } from './k-means';
import { floats, gridOf, patchesOf } from './readings';

export interface OverclusterCostOptions extends ProtocolOptions, Partial<OverclusterValues> {
  readonly onlyClasses?: boolean;
}

const COMPONENTS = 50;
const RESTARTS = 5;
const SEEDS = 5;
const SIDE = 100;

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
  const counts = values.clusters ?? clusterCounts(classes, points).slice(0, options.onlyClasses ? 1 : undefined);
  const seeds = values.seeds?.length ?? SEEDS;
  const cols = Math.min(COMPONENTS, dim);
  const shape: PatchShape = { dim, grid, side: session.size, classes };
  return {
    reads: [patchesOf(session, test, protocol && PAPER_OVERCLUSTER.look)],
    work: [
      ...reductionWork(backend, shape, { images: test.length, maps: test.length * seeds * counts.length }),
      ...counts.flatMap((clusters) => {
        const runs = seeds * RESTARTS;
        const sizes = kMeansSizes(points, clusters, runs);
        return [
          stepsWork(backend, { clusters, cols, ...sizes }),
          ...(values.start === 'random' ? [] : [startWork(backend, { clusters, cols, runs, points: sizes.points })]),
        ];
      }),
    ],
    held: {
      host: 2 * floats(points, cols) + test.length * SIDE ** 2,
      device: floats(4096, Math.max(...counts)),
    },
    unknown: [STEPS_UNKNOWN],
  };
}

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
