/**
 * Histograms of one or several sets of values over common bins. The last bin is closed, so that the largest value is
 * counted; values outside the domain and values that are not finite are left out and their number is stated.
 */
import { extent, quantile, SERIES_COLOURS } from '../drawing/colormap';
import { formatNumber } from '../drawing/number-format';
import { element, type Figure, figure, heading, line, type Markup } from '../drawing/svg';
import { checkCount } from '../errors';
import { type Axis, drawFrame, drawLegend, makeAxis, type PlotArea, tooltip, yAxisWidth } from './axes';

/** One set of values. */
export interface HistogramSeries {
  readonly name: string;
  readonly values: ArrayLike<number>;
  /** CSS colour. Default: the next of `SERIES_COLOURS`. */
  readonly colour?: string;
}

/** Options of `histogramChart`. */
export interface HistogramOptions {
  readonly title?: string;
  readonly subtitle?: string;
  /** Number of bins of equal width. Default 40. */
  readonly bins?: number;
  /** Ends of the bins. Default: the smallest and largest value of all sets. */
  readonly domain?: readonly [low: number, high: number];
  readonly xLabel?: string;
  /** A vertical line at each set's median. Default true. */
  readonly medians?: boolean;
  readonly width?: number;
  readonly height?: number;
}

/** Counts per bin and the bins' edges (one more than bins). */
export interface Bins {
  readonly counts: Uint32Array;
  readonly edges: Float64Array;
  /** Values left out: not finite, or outside the domain. */
  readonly leftOut: number;
}

/** Sorts values into `bins` bins of equal width over `domain`, the last one closed. */
export function binValues(values: ArrayLike<number>, bins: number, domain: readonly [number, number]): Bins {
  checkCount('the number of bins', bins);
  const [low, high] = domain;
  const edges = Float64Array.from({ length: bins + 1 }, (_, i) => low + ((high - low) * i) / bins);
  const counts = new Uint32Array(bins);
  let leftOut = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!(value >= low && value <= high)) leftOut++;
    else counts[Math.min(bins - 1, Math.floor(((value - low) / (high - low || 1)) * bins))]!++;
  }
  return { counts, edges, leftOut };
}

/** Overlaid histograms; heights are shares of each set, so that sets of different size compare. */
export function histogramChart(series: readonly HistogramSeries[], options: HistogramOptions = {}): Figure {
  const { width = 520, height = 300, bins = 40 } = options;
  const domain = options.domain ?? extent(series.flatMap((one) => extent(one.values)));
  const sets = series.map((one, i) => binSet(one, SERIES_COLOURS[i % SERIES_COLOURS.length]!, bins, domain));
  const showMedians = options.medians ?? true;
  const nameOf = (set: BinnedSet): string =>
    showMedians ? `${set.name} (median ${formatNumber(set.median)})` : set.name;
  const head = heading(14, options.title, subtitle(sets, options.subtitle));
  const entries = sets.map((set) => ({ name: nameOf(set), colour: set.colour, shape: 'box' as const }));
  const legend = drawLegend(entries, 14, head.height, width - 28);
  const top = head.height + legend.height + 6;
  const bottom = height - (options.xLabel ? 50 : 30);
  const highest = Math.max(1e-9, ...sets.flatMap((set) => Array.from(set.shares)));
  const y = makeAxis(
    { label: 'share', format: (value) => `${formatNumber(value * 100)} %` },
    [0, highest],
    [bottom, top],
  );
  const area: PlotArea = { left: yAxisWidth(y), right: width - 20, top, bottom };
  const x = makeAxis({ label: options.xLabel, domain }, domain, [area.left, area.right]);
  return figure({ width, height }, options.title ?? 'Histogram', [
    ...head.pieces,
    ...legend.pieces,
    ...drawFrame(area, x, y),
    ...sets.flatMap((set) => drawBars(set, x, y, bottom, sets.length > 1 ? 0.5 : 0.85)),
    ...(showMedians ? sets.flatMap((set) => drawMedian(set, x, area)) : []),
  ]);
}

interface BinnedSet extends Bins {
  readonly name: string;
  readonly colour: string;
  readonly median: number;
  /** Counts over the number of values inside the domain. */
  readonly shares: Float64Array;
}

function binSet(series: HistogramSeries, colour: string, bins: number, domain: readonly [number, number]): BinnedSet {
  const binned = binValues(series.values, bins, domain);
  const inside = Math.max(1, series.values.length - binned.leftOut);
  const shares = Float64Array.from(binned.counts, (count) => count / inside);
  const median = Number(quantile(series.values, 0.5).toPrecision(3));
  return { name: series.name, colour: series.colour ?? colour, median, shares, ...binned };
}

function subtitle(sets: readonly BinnedSet[], given: string | undefined): string | undefined {
  const leftOut = sets.reduce((sum, set) => sum + set.leftOut, 0);
  const note = leftOut > 0 ? `${formatNumber(leftOut)} values outside` : undefined;
  return [given, note].filter(Boolean).join(' · ') || undefined;
}

function drawBars(set: BinnedSet, x: Axis, y: Axis, bottom: number, opacity: number): Markup[] {
  return Array.from(set.shares, (share, bin) => {
    if (share === 0) return '';
    const left = x.at(set.edges[bin]!);
    const right = x.at(set.edges[bin + 1]!);
    const gap = Math.min(1, (right - left) / 4);
    const place = { x: left + gap / 2, y: y.at(share), width: right - left - gap, height: bottom - y.at(share) };
    const text = `${set.name}: ${formatNumber(set.counts[bin]!)}`;
    return element('rect', { ...place, fill: set.colour, 'fill-opacity': opacity }, tooltip(text));
  });
}

function drawMedian(set: BinnedSet, axis: Axis, area: PlotArea): Markup[] {
  const x = axis.at(set.median);
  if (!(x >= area.left && x <= area.right)) return [];
  return [line(x, area.top, x, area.bottom, { stroke: set.colour, 'stroke-width': 1.5, 'stroke-dasharray': '5 3' })];
}
