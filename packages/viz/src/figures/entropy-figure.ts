/**
 * Where clusters of patches live in the image (Franca Fig. 5). From counts M [K, P] (assignments to cluster k at
 * position p),
 *
 *   H_k = -sum_p (M_kp / n_k) log(M_kp / n_k) / log P        0: always the same position, 1: anywhere
 *
 * the figures show the histogram of H_k (before and after RASA, say) and the position maps of single clusters.
 */
import { type HeatMapOptions, heatMapFigure } from '../charts/heat-map';
import { type HistogramOptions, type HistogramSeries, histogramChart } from '../charts/histogram';
import { cellsOf, type Grid } from '../drawing/grid';
import type { Figure } from '../drawing/svg';
import { checkLength, VizError } from '../errors';

/** Histograms of normalised entropies over 0..1, with medians. */
export function positionEntropyChart(series: readonly HistogramSeries[], options: HistogramOptions = {}): Figure {
  const defaults = { title: 'Position entropy of clusters', xLabel: 'normalised entropy', domain: [0, 1] as const };
  return histogramChart(series, { ...defaults, ...options });
}

/** Positions of clusters. */
export interface ClusterPositions {
  readonly grid: Grid;
  /** How often each position was assigned to each cluster, [clusters, rows * columns]. */
  readonly counts: ArrayLike<number>;
  readonly clusters: number;
}

/** Options of `positionMapsFigure`. */
export interface PositionMapsOptions extends HeatMapOptions {
  /** Clusters shown, from the lowest entropy up, evenly spread over the ranking. Default 8. */
  readonly shown?: number;
  /** Clusters with fewer assignments are left out: their entropy says little. Default 5 per position. */
  readonly atLeast?: number;
}

/**
 * Position maps of clusters from the most to the least tied to a place; each map is scaled to its own maximum.
 * Throws `shape` when no cluster has enough assignments.
 */
export function positionMapsFigure(positions: ClusterPositions, options: PositionMapsOptions = {}): Figure {
  const { grid, clusters } = positions;
  checkLength('the position counts', positions.counts, [clusters, ...grid]);
  const places = cellsOf(grid);
  const { shown = 8, atLeast = 5 * places, ...heatMap } = options;
  const ranked = rankClusters(positions, atLeast);
  if (ranked.length === 0) {
    throw new VizError(
      'shape',
      `none of ${clusters} clusters has ${atLeast} assignments; use more pictures, or lower \`atLeast\``,
    );
  }
  const panels = spread(ranked, shown).map(({ cluster, entropy, counts }) => {
    const highest = counts.reduce((a, b) => Math.max(a, b), 0);
    const values = counts.map((count) => count / highest);
    return {
      values,
      grid,
      title: `cluster ${cluster}`,
      note: `H = ${entropy.toFixed(2)}`,
    };
  });
  const defaults: HeatMapOptions = {
    title: 'Where clusters occur',
    label: 'relative frequency',
    domain: [0, 1],
    panelWidth: 110,
    colormap: 'magma',
  };
  return heatMapFigure(panels, { ...defaults, ...heatMap });
}

/** Entropy over log(positions) of one cluster's counts; NaN when it has none. */
export function normalisedEntropy(counts: ArrayLike<number>): number {
  const values = Array.from(counts);
  const total = values.reduce((a, b) => a + b, 0);
  if (total === 0) return Number.NaN;
  const entropy = values.reduce((h, n) => (n > 0 ? h - (n / total) * Math.log(n / total) : h), 0);
  return values.length === 1 ? 0 : entropy / Math.log(values.length);
}

interface RankedCluster {
  readonly cluster: number;
  readonly entropy: number;
  readonly counts: Float64Array;
}

function rankClusters({ counts, clusters, grid }: ClusterPositions, atLeast: number): RankedCluster[] {
  const places = cellsOf(grid);
  return Array.from({ length: clusters }, (_, cluster) => {
    const own = Float64Array.from({ length: places }, (_, p) => counts[cluster * places + p]!);
    return { cluster, counts: own, entropy: normalisedEntropy(own) };
  })
    .filter(({ counts: own }) => own.reduce((a, b) => a + b, 0) >= Math.max(1, atLeast))
    .sort((a, b) => a.entropy - b.entropy || a.cluster - b.cluster);
}

function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.round((i * (items.length - 1)) / Math.max(1, count - 1))]!);
}
