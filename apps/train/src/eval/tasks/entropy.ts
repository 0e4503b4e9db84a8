/** Position entropy of clusters: does a cluster of patch tokens occur anywhere, or at one place? Clusters are k-means centroids of train patches. */
import { clusterPositions, kMeans, type Matrix, matrix, positionEntropy } from '@franca/evals';
import { positionEntropyChart, positionMapsFigure } from '@franca/viz';
import { indexList, positiveInteger } from '../../options/option-values';
import type { DensePart } from '../part';
import type { EvalTask } from '../task';

interface Options {
  readonly clusters?: number;
  readonly seed?: readonly number[];
  readonly minHits?: number;
}

export const task: EvalTask = {
  name: 'entropy',
  about: 'where in the image clusters of patches occur (paper Fig. 5)',
  reads: 'patches',
  order: 10,
  rasa: { options: {} },
  options: (command) =>
    command
      .option(
        '--clusters <n>',
        'k-means clusters of train patches (default: 1 per 1024 patches, 8 to 512)',
        positiveInteger,
      )
      .option('--seed <n>', 'of k-means (default: 0)', indexList)
      .option('--min-hits <n>', 'patches that a cluster needs to count (default: 5 per position)', positiveInteger),
  async run(context, { clusters, seed, minHits }: Options) {
    const train = await context.patches('train');
    const test = await context.patches('test');
    const { backend } = context;
    const [height, width] = context.grid;
    const places = height * width;
    const count = clusters ?? Math.min(512, Math.max(8, Math.round((train.set.length * places) / 1024)));
    const points = await samplePatches(train, 256 * count, places);
    const [first = 0] = seed ?? [];
    const { centroids } = await kMeans(backend, points, { clusters: count, seed: first, restarts: 1 });
    const positions = await clusterPositions(test.batches, centroids, { nearest: 'euclidean', backend });
    // A cluster's share of a small test set must not decide whether it counts.
    const enough = minHits ?? Math.min(5 * places, Math.max(1, Math.floor((test.set.length * places) / (4 * count))));
    const { outcome, entropies } = positionEntropy(positions, { minHits: enough });
    const counted = entropies.filter((entropy) => entropy !== null);
    return {
      records: context.records(
        test,
        [{ ...outcome, hyper: { ...outcome.hyper, clusters: count }, seeds: [first] }],
        () => count,
      ),
      section: {
        charts: [
          { figure: positionEntropyChart([{ name: test.set.dataset, values: counted }]) },
          {
            figure: positionMapsFigure(positions, { atLeast: enough }),
          },
        ],
      },
    };
  },
};

/** At most about `limit` patches, evenly spaced over all images. */
async function samplePatches({ set, batches }: DensePart, limit: number, places: number): Promise<Matrix> {
  const step = Math.max(1, Math.floor((set.length * places) / limit));
  const rows: Float32Array[] = [];
  let seen = 0;
  let dim = 0;
  for await (const batch of batches) {
    dim = batch.dim;
    const tokens = batch.patches.length / dim;
    for (let row = (step - (seen % step)) % step; row < tokens; row += step)
      rows.push(batch.patches.slice(row * dim, (row + 1) * dim));
    seen += tokens;
  }
  const data = new Float32Array(rows.length * dim);
  for (const [i, row] of rows.entries()) data.set(row, i * dim);
  return matrix(data, dim);
}
