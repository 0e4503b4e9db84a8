/**
 * Overclustering: do clusters of patch tokens, formed without labels, follow object classes? All patch tokens of the
 * evaluated set are standardised, reduced to 50 principal components and clustered by k-means; cluster maps and masks
 * are resized to 100 x 100 by nearest neighbour; clusters are named after classes, and the mIoU is averaged over seeds.
 *
 * The paper says the naming is Hungarian; the reference code names one to one only when there are as many clusters as
 * classes, and otherwise gives every cluster its majority class. `match: 'auto'` does the same.
 *
 * Sources: NeCo's evaluation; paper Table 4.
 */
import type { OptionKinds } from '@franca/tensor';
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend } from '../backend/eval-backend';
import { type ClassCounts, namedCounts, type PairCounts, pairCounts } from '../compare/class-counts';
import { countItems } from '../compare/item-results';
import { checkOption, checkOptions } from '../errors';
import type { Batched, SegmentationFeatures } from '../features';
import type { Matrix } from '../matrix';
import { hungarianMatch, manyToOneMatch, renamed } from '../metrics/matching';
import {
  checkScoring,
  pooledCounts,
  SCORING,
  type SegmentationScore,
  type SegmentationScoring,
  scoreCounts,
  scoringOf,
  scoringSettings,
} from '../metrics/segmentation';
import type { Extent } from '../numerics/bilinear';
import { resizeLabels } from '../numerics/nearest';
import { elapsed, type Outcome } from '../outcome';
import { loadProgress, type ProgressKeeper, type SavedProgress, savedArray } from '../progress';
import { kMeans } from '../statistics/k-means';
import { type ReducedImages, reduceImages } from './reduced-images';

/** Options of `overclustering`. */
export interface OverclusteringOptions extends SegmentationScoring {
  /** Numbers of clusters to try; default the number of classes, 100, 300 and 500. */
  readonly clusters?: readonly number[];
  /** Default `auto`. */
  readonly match?: 'auto' | 'hungarian' | 'precision' | 'iou';
  /** Principal components kept; default 50, or all where features are narrower. */
  readonly components?: number;
  /** Default 0 to 4. */
  readonly seeds?: readonly number[];
  /** Lloyd steps and restarts of each k-means; default 100 and 5. */
  readonly iterations?: number;
  readonly restarts?: number;
  /** Default `k-means++`; the reference starts from random points. */
  readonly start?: 'k-means++' | 'random';
  /** Extent at which maps are compared; default 100 x 100. */
  readonly size?: Extent;
  /** Drops the last incomplete batch of 32 images, as the reference's loader does. Default false. */
  readonly quirks?: boolean;
  /** Called after each k-means, with their number so far. */
  readonly onClustered?: (done: number, all: number) => void;
  readonly backend?: EvalBackend;
  /** Keeps the centroids of each k-means; what was stopped goes on with the next one, to the same bits. */
  readonly progress?: ProgressKeeper | undefined;
}

const OPTIONS: OptionKinds<OverclusteringOptions> = /* @__PURE__ */ Object.assign({}, SCORING, {
  clusters: 'numbers',
  match: ['auto', 'hungarian', 'precision', 'iou'],
  components: 'number',
  seeds: 'numbers',
  iterations: 'number',
  restarts: 'number',
  start: ['k-means++', 'random'],
  size: 'numbers',
  quirks: 'boolean',
  onClustered: 'function',
  backend: 'object',
  progress: 'object',
} as const);

export interface OverclusteringResult {
  /** One per number of clusters, in the order asked for. */
  readonly outcomes: readonly Outcome[];
}

/**
 * @param features the evaluated images; read twice, so a series of batches must be an array or another iterable that can
 * be read again
 * @throws EvalsError `features`, `labels` or `options`
 */
export async function overclustering(
  features: Batched<SegmentationFeatures>,
  options: OverclusteringOptions,
): Promise<OverclusteringResult> {
  checkOptions('overclustering', options, OPTIONS);
  const { classes, clusters = [classes, 100, 300, 500], seeds = [0, 1, 2, 3, 4], backend = cpuBackend } = options;
  const { match = 'auto', iterations = 100, restarts = 5, start = 'k-means++', quirks = false } = options;
  checkOption(seeds.length > 0 && clusters.length > 0, 'overclustering needs a seed and a number of clusters');
  const scoring = scoringOf(options);
  checkScoring(scoring);
  const images = await reduceImages(backend, features, options);
  const evaluated = quirks ? images.masks.length - (images.masks.length % 32) : images.masks.length;
  checkOption(evaluated > 0, `${images.masks.length} images make no whole batch of 32`);
  const fitted = await openFitted(options.progress, images.points.cols);
  const outcomes: Outcome[] = [];
  for (const count of clusters) {
    const started = performance.now();
    const naming = match === 'auto' ? (count === classes ? 'hungarian' : 'precision') : match;
    const scores: SegmentationScore[] = [];
    const items: ClassCounts[][] = Array.from({ length: evaluated }, () => []);
    for (const [run, seed] of seeds.entries()) {
      const centroids = await fitted(count, seed, async () => {
        const settings = { clusters: count, iterations, restarts, seed, start };
        return (await kMeans(backend, images.points, settings)).centroids;
      });
      const { counts, each } = await countClusters(backend, images, centroids, evaluated, scoring);
      const table = { counts, clusters: count, classes };
      const names = naming === 'hungarian' ? hungarianMatch(table) : manyToOneMatch(table, naming);
      scores.push(scoreCounts(renamed(table, names), scoring));
      for (const [i, pairs] of each.entries()) items[i]!.push(namedCounts(pairs, names, classes, run * classes));
      options.onClustered?.(outcomes.length * seeds.length + scores.length, clusters.length * seeds.length);
    }
    const values = scores.map(({ miou }) => miou);
    outcomes.push({
      task: 'overclustering',
      protocol: 'neco',
      variant: `${count} clusters`,
      evaluated,
      total: images.masks.length,
      metric: 'mIoU',
      value: values.reduce((sum, value) => sum + value, 0) / values.length,
      unit: 'share',
      others: Object.fromEntries(values.map((value, i) => [`seed ${seeds[i]}`, value])),
      perClass: meanPerClass(scores),
      items: countItems(
        items.map((runs) => runs.flat()),
        overRuns(scoring, seeds.length),
      ),
      hyper: {
        clusters: count,
        match: naming,
        components: images.points.cols,
        iterations,
        restarts,
        start,
        ...scoringSettings(options),
        backend: backend.name,
      },
      selectedOn: 'nothing',
      seeds,
      quirks,
      wallMs: elapsed(started),
    });
  }
  await options.progress?.done();
  return { outcomes };
}

type Fitted = (clusters: number, seed: number, fit: () => Promise<Matrix>) => Promise<Matrix>;

/** Centroids that were kept, or else those of `fit`, which are kept. */
async function openFitted(progress: ProgressKeeper | undefined, cols: number): Promise<Fitted> {
  const saved: SavedProgress = (await loadProgress('overclustering', progress)) ?? { state: null, arrays: {} };
  const arrays = { ...saved.arrays };
  return async (clusters, seed, fit) => {
    const name = `${clusters} clusters, seed ${seed}`;
    if (arrays[name]) return { data: savedArray(saved, name, Float32Array, clusters * cols), rows: clusters, cols };
    const centroids = await fit();
    arrays[name] = centroids.data;
    if (progress?.due()) await progress.save({ state: null, arrays });
    return centroids;
  };
}

/** The mean over runs as one mean: each run's classes are classes of their own. */
function overRuns({ classes, averageOver, ...scoring }: SegmentationScoring, runs: number): SegmentationScoring {
  const over = averageOver ?? Array.from({ length: classes }, (_, c) => c);
  const all = Array.from({ length: runs }, (_, run) => over.map((c) => run * classes + c));
  return { ...scoring, classes: runs * classes, averageOver: all.flat() };
}

/** Pixels of the first `evaluated` images by cluster and class, `[clusters, classes]`, and those of each image. */
async function countClusters(
  backend: EvalBackend,
  { points, grid, size, masks }: ReducedImages,
  centroids: Matrix,
  evaluated: number,
  scoring: SegmentationScoring,
): Promise<{ readonly counts: Float64Array; readonly each: readonly PairCounts[] }> {
  using session = backend.openKMeans(points);
  const { labels } = await session.assign(centroids);
  const pooled = pooledCounts(backend, scoring, centroids.rows);
  const cells = grid[0] * grid[1];
  const each: PairCounts[] = [];
  for (let i = 0; i < evaluated; i++) {
    const map = labels.subarray(i * cells, (i + 1) * cells);
    each.push(pairCounts(await pooled.add(resizeLabels(map, grid, size), masks[i]!)));
  }
  return { counts: pooled.counts, each };
}

function meanPerClass(scores: readonly SegmentationScore[]): (number | null)[] {
  return scores[0]!.perClass.map((first, c) =>
    first === null ? null : scores.reduce((sum, { perClass }) => sum + (perClass[c] ?? 0), 0) / scores.length,
  );
}
