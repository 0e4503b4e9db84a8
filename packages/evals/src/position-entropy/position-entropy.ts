/**
 * Spatial entropy of clusters (paper Fig. 5): does a cluster appear all over the image, or at a fixed place? From
 * counts `M[k, p]` of cluster `k` at patch position `p` over many images,
 *
 *   H_k = -sum_p (M[k, p] / n_k) log(M[k, p] / n_k) / log P,   n_k = sum_p M[k, p]
 *
 * is 1 for a cluster spread evenly over the `P` positions and 0 for one that sits at a single position. From `n`
 * samples the entropy comes out too low by about `(positions seen - 1) / 2n`, which the Miller-Madow correction adds;
 * clusters with few hits are left out.
 */
import type { OptionKinds } from '@franca/tensor';
import { checkSet } from '../check-features';
import { checkOption, checkOptions } from '../errors';
import { elapsed, type Outcome } from '../outcome';

/** How often each cluster occurred at each position. */
export interface PositionCounts {
  /** `[clusters, rows * columns]`. */
  readonly counts: ArrayLike<number>;
  readonly clusters: number;
  /** Patch grid whose positions these are. */
  readonly grid: readonly [rows: number, columns: number];
}

export interface PositionEntropyOptions {
  /** Clusters with fewer hits are left out; default 5 per position. */
  readonly minHits?: number;
  /** Default `miller-madow`. */
  readonly correction?: 'miller-madow' | 'none';
}

const OPTIONS: OptionKinds<PositionEntropyOptions> = { minHits: 'number', correction: ['miller-madow', 'none'] };

export interface PositionEntropyResult {
  /** Median over the clusters that count. */
  readonly outcome: Outcome;
  /** Normalised entropy of each cluster, `null` where it has too few hits. */
  readonly entropies: readonly (number | null)[];
  /** Clusters by entropy, in 20 equal bins over `[0, 1]`. */
  readonly histogram: readonly number[];
}

/** @throws EvalsError `bad-option` when the counts do not fit, or no cluster has enough hits */
export function positionEntropy(table: PositionCounts, options: PositionEntropyOptions = {}): PositionEntropyResult {
  const started = performance.now();
  checkOptions('positionEntropy', options, OPTIONS);
  checkSet('positionEntropy: table', table, { counts: 'list', clusters: 'number', grid: 'numbers' });
  const { clusters, grid, counts } = table;
  const positions = grid[0] * grid[1];
  const { minHits = 5 * positions, correction = 'miller-madow' } = options;
  checkOption(positions >= 2, `entropy over ${positions} positions is always 0; use a grid of several patches`);
  checkOption(
    counts.length === clusters * positions,
    `${counts.length} counts for ${clusters} clusters at ${positions} positions`,
  );
  const entropies = Array.from({ length: clusters }, (_, k) => {
    const row = Float64Array.from({ length: positions }, (_, p) => counts[k * positions + p]!);
    return clusterEntropy(row, minHits, correction === 'miller-madow');
  });
  const counted = entropies.filter((entropy) => entropy !== null).toSorted((a, b) => a - b);
  checkOption(counted.length > 0, `no cluster has ${minHits} hits; evaluate more images or lower minHits`);
  const quantile = (share: number) => {
    const at = share * (counted.length - 1);
    const low = counted[Math.floor(at)]!;
    return low + (at - Math.floor(at)) * (counted[Math.ceil(at)]! - low);
  };
  const histogram = new Array<number>(20).fill(0);
  for (const entropy of counted) histogram[Math.min(19, Math.floor(entropy * 20))]! += 1;
  const outcome: Outcome = {
    task: 'position-entropy',
    protocol: 'paper-fig-5',
    variant: '',
    evaluated: counted.length,
    total: clusters,
    metric: 'median normalised entropy',
    value: quantile(0.5),
    unit: 'number',
    others: {
      mean: counted.reduce((sum, entropy) => sum + entropy, 0) / counted.length,
      'first quartile': quantile(0.25),
      'third quartile': quantile(0.75),
    },
    perClass: [],
    hyper: { positions, minHits, correction },
    selectedOn: 'nothing',
    seeds: [],
    quirks: false,
    wallMs: elapsed(started),
  };
  return { outcome, entropies, histogram };
}

function clusterEntropy(row: Float64Array, minHits: number, corrected: boolean): number | null {
  const hits = row.reduce((sum, count) => sum + count, 0);
  if (hits === 0 || hits < minHits) return null;
  const seen = row.filter((count) => count > 0);
  const entropy = seen.reduce((sum, count) => sum - (count / hits) * Math.log(count / hits), 0);
  const bias = corrected ? (seen.length - 1) / (2 * hits) : 0;
  return Math.min(1, (entropy + bias) / Math.log(row.length));
}
