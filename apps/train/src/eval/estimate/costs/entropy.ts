/** What the entropy of positions costs: k-means of some tokens of train, and the nearest cluster of every token of test. */
import { clusterPositions, matrix } from '@franca/evals';
import { madeUpPatches, madeUpRows, type PatchShape, repeated } from '../made-up';
import type { CostQuestion, TaskCost } from '../task-cost';
import { kMeansSizes, STEPS_UNKNOWN, stepsWork } from './k-means';
import { floats, gridOf, patchesOf } from './readings';

export interface EntropyCostOptions {
  readonly prototypes?: 'k-means' | 'head';
  readonly level?: number | 'all';
  readonly clusters?: number;
  readonly before?: boolean;
}

/** As the task takes them where no number is asked for. */
export const usualClusters = (patches: number): number => Math.min(512, Math.max(8, Math.round(patches / 1024)));

export async function entropyCost(question: CostQuestion, options: EntropyCostOptions): Promise<TaskCost> {
  const { session, backend, sets, context } = question;
  const { prototypes, level, clusters: asked, before = true } = options;
  const { train, test } = await sets('dense');
  const dim = session.model.config.embedDim;
  const shape: PatchShape = { dim, grid: gridOf(session), side: 1, classes: 1 };
  const cells = shape.grid[0] * shape.grid[1];
  const ofHead = prototypes === 'head';
  const clusters = asked ?? usualClusters(train.length * cells);
  const times = context.hasPlanes && before ? 2 : 1;
  const sizes = kMeansSizes(train.length * cells, clusters, times);
  const tokens = ofHead ? [] : [patchesOf(session, train)];
  return {
    reads: [...tokens, patchesOf(session, test)],
    work: ofHead
      ? []
      : [
          stepsWork(backend, { clusters, cols: dim, ...sizes }),
          {
            name: 'places of clusters',
            units: times * test.length,
            trial: (scale) => ({
              units: scale,
              run: () =>
                clusterPositions(repeated(madeUpPatches(1, shape), scale), matrix(madeUpRows(clusters, dim), dim), {
                  nearest: 'euclidean',
                  backend,
                }),
            }),
          },
        ],
    held: { host: 2 * floats(sizes.points, dim), device: floats(4096, clusters) },
    unknown: ofHead
      ? [`what the head takes, whose ${level === 'all' ? 'levels are' : 'level is'} opened for it`]
      : [STEPS_UNKNOWN],
  };
}
