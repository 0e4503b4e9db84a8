/**
 * Position entropy of clusters (paper Fig. 5): does a cluster of patch tokens occur anywhere, or at one place? Clusters are k-means centroids of train patches,
 * or the prototypes of the head that the patches were trained with. Where planes of RASA are removed, k-means is done before and after.
 */
import {
  clusterPositions,
  kMeans,
  type Matrix,
  matrix,
  type Outcome,
  type PositionCounts,
  positionEntropy,
} from '@franca/evals';
import { positionEntropyChart, positionMapsFigure } from '@franca/viz';
import { InvalidArgumentError, Option } from 'commander';
import { TrainError } from '../../errors';
import { indexList, positiveInteger } from '../../options/option-values';
import type { EvalContext } from '../context';
import { entropyCost } from '../estimate/costs/entropy';
import type { DensePart } from '../part';
import type { EvalResult, EvalTask } from '../task';

interface Options {
  readonly prototypes?: 'k-means' | 'head';
  readonly level?: number | 'all';
  readonly clusters?: number;
  readonly seed?: readonly number[];
  readonly minHits?: number;
  /** Without the planes removed too, where there are some. */
  readonly before?: boolean;
}

export const task: EvalTask = {
  name: 'entropy',
  about: 'where in the image clusters of patches occur (paper Fig. 5)',
  reads: 'patches',
  order: 10,
  rasa: { options: { before: false } },
  cost: entropyCost,
  options: (command) =>
    command
      .addOption(
        new Option(
          '--prototypes <which>',
          'clusters: k-means of train patches (default), or prototypes of the head that patches were trained with',
        ).choices(['k-means', 'head']),
      )
      .option('--level <width>', 'of a nested head: width of the level, or all (default: the full width)', levelOption)
      .option(
        '--clusters <n>',
        'k-means clusters of train patches (default: 1 per 1024 patches, 8 to 512)',
        positiveInteger,
      )
      .option('--seed <n>', 'of k-means (default: 0)', indexList)
      .option('--min-hits <n>', 'patches that a cluster needs to count (default: 5 per position)', positiveInteger),
  async run(context, options: Options) {
    const head = options.prototypes === 'head';
    const foreign = (head ? (['clusters', 'seed'] as const) : (['level'] as const)).find(
      (name) => options[name] !== undefined,
    );
    if (foreign !== undefined)
      throw new TrainError('usage', `--${foreign} is not for --prototypes ${head ? 'head' : 'k-means'}; leave it out`);
    return report(context, await (head ? ofHead(context, options) : ofCentroids(context, options)), options);
  },
};

/** Where clusters of some kind occur among the patches of a part. */
interface Counted {
  readonly name: string;
  readonly test: DensePart;
  /** What else was read. */
  readonly others: readonly DensePart[];
  readonly positions: PositionCounts;
  /** What the outcome has of it. */
  readonly own: Partial<Outcome>;
}

async function ofCentroids(context: EvalContext, { clusters, seed = [], before = true }: Options): Promise<Counted[]> {
  const { backend, hasPlanes } = context;
  const places = context.grid[0] * context.grid[1];
  const [first = 0] = seed;
  const counted: Counted[] = [];
  for (const planes of hasPlanes && before ? (['left-in', 'removed'] as const) : (['removed'] as const)) {
    const train = await context.patches('train', planes);
    const test = await context.patches('test', planes);
    const count = clusters ?? Math.min(512, Math.max(8, Math.round((train.set.length * places) / 1024)));
    const points = await samplePatches(train, 256 * count, places);
    const { centroids } = await kMeans(backend, points, { clusters: count, seed: first, restarts: 1 });
    const positions = await clusterPositions(test.batches, centroids, { nearest: 'euclidean', backend });
    const name = hasPlanes ? `k-means, planes ${planes === 'removed' ? 'removed' : 'left in'}` : 'k-means';
    counted.push({ name, test, others: [train], positions, own: { seeds: [first] } });
  }
  return counted;
}

const HEAD_NAMES = { ibot_head: 'iBOT head', dino_head: 'DINO head, which patches share' } as const;

/** Every patch goes to the prototype with the largest logit. Heads were trained on tokens with position in them, so no plane is removed. */
async function ofHead(context: EvalContext, { level }: Options): Promise<Counted[]> {
  const { head, level: open } = await context.head();
  const plain = await context.patches('test', 'left-in');
  const told = `prototypes of the ${HEAD_NAMES[head.part]}${context.hasPlanes ? ', which was trained before RASA: no planes are removed' : ''}`;
  const test = { ...plain, set: { ...plain.set, notes: [...plain.set.notes, told] } };
  const { levels } = head.config;
  const counted: Counted[] = [];
  for (const index of chosenLevels(levels, level)) {
    using of = await open(index);
    const positions = await clusterPositions(of.features(test.batches), of.prototypes, {
      nearest: 'inner-product',
      backend: context.backend,
    });
    const { width } = levels[index]!;
    const variant = `${head.part}, width ${width}`;
    counted.push({
      name: variant,
      test,
      others: [],
      positions,
      own: { variant, hyper: { prototypes: head.part, width } },
    });
  }
  return counted;
}

function chosenLevels(levels: readonly { readonly width: number }[], asked: Options['level']): number[] {
  if (asked === 'all') return [...levels.keys()];
  const index = asked === undefined ? levels.length - 1 : levels.findIndex(({ width }) => width === asked);
  if (index >= 0) return [index];
  throw new TrainError(
    'usage',
    `--level ${asked}: the head has levels of width ${levels.map(({ width }) => width).join(', ')}`,
  );
}

function report(context: EvalContext, all: readonly Counted[], { minHits }: Options): EvalResult {
  const places = context.grid[0] * context.grid[1];
  const measured = all.map(({ name, test, others, positions, own }) => {
    const { clusters } = positions;
    // A cluster's share of a small test set must not decide whether it counts.
    const share = Math.floor((test.set.length * places) / (4 * clusters));
    const enough = minHits ?? Math.min(5 * places, Math.max(1, share));
    const { outcome, entropies } = positionEntropy(positions, { minHits: enough });
    const hyper = { ...outcome.hyper, ...own.hyper, clusters };
    const notes = [...test.set.notes, ...(enough < places ? [fewHits(enough, places)] : [])];
    const records = context.records(
      { ...test, set: { ...test.set, notes } },
      [{ ...outcome, ...own, hyper }],
      () => clusters,
      others,
    );
    return { records, positions, enough, series: { name, values: entropies.filter((entropy) => entropy !== null) } };
  });
  const { positions, enough } = measured.at(-1)!;
  const figures = [
    positionEntropyChart(measured.map(({ series }) => series)),
    positionMapsFigure(positions, { atLeast: enough }),
  ];
  return {
    records: measured.flatMap(({ records }) => records),
    section: { charts: figures.map((figure) => ({ figure })) },
  };
}

const fewHits = (hits: number, places: number): string =>
  `clusters count from ${hits} hits on, fewer than the ${places} positions: the entropy of those with few is too low; give more images, or --min-hits`;

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

function levelOption(text: string): number | 'all' {
  if (text === 'all') return text;
  try {
    return positiveInteger(text);
  } catch {
    throw new InvalidArgumentError('expected the width of a level, or all');
  }
}
