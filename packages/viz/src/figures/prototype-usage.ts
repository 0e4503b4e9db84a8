/**
 * How evenly prototypes are used. With n_k assignments to prototype k of K and p_k = n_k / sum n:
 *
 *   perplexity = exp(-sum_k p_k log p_k)     K when usage is uniform, 1 when one prototype takes everything
 *
 * The chart sorts prototypes by usage relative to uniform (K p_k) into octaves: a collapse shows as mass at 0
 * and far right, healthy clustering as a hill around 1.
 */
import { drawFrame, makeAxis, type PlotArea, tooltip, yAxisWidth } from '../charts/axes';
import { SERIES_COLOURS } from '../drawing/colormap';
import { formatNumber, formatPercent } from '../drawing/number-format';
import { element, type Figure, figure, heading, type Markup } from '../drawing/svg';
import { checkFinite, VizError } from '../errors';

/** Summary of assignments. */
export interface PrototypeUsage {
  readonly total: number;
  /** Prototypes with at least one assignment. */
  readonly used: number;
  readonly perplexity: number;
  /** Usage of the busiest prototype relative to uniform. */
  readonly busiest: number;
}

/** Octaves shown: up to 2^-5 of uniform in the first, from 2^5 in the last. */
const OCTAVES = 5;

/** Summary of `counts` [K], assignments (or soft weights) per prototype. Throws `shape` when K is 0, `options` on a negative count. */
export function prototypeUsage(counts: ArrayLike<number>): PrototypeUsage {
  if (counts.length === 0) throw new VizError('shape', 'no counts were passed; give one for each prototype');
  checkFinite('the counts', counts);
  const values = Array.from(counts);
  const negative = values.findIndex((count) => count < 0);
  if (negative >= 0)
    throw new VizError('options', `prototype ${negative} has ${values[negative]} assignments; counts start at 0`);
  const sum = values.reduce((a, b) => a + b, 0);
  const entropy = values.reduce((h, count) => (count > 0 ? h - (count / sum) * Math.log(count / sum) : h), 0);
  return {
    total: values.length,
    used: values.filter((count) => count > 0).length,
    perplexity: sum > 0 ? Math.exp(entropy) : 0,
    busiest: sum > 0 ? (values.reduce((a, b) => Math.max(a, b), 0) * values.length) / sum : 0,
  };
}

/** Histogram of usage relative to uniform, in octaves. */
export function prototypeUsageChart(
  counts: ArrayLike<number>,
  options: { title?: string; width?: number; height?: number } = {},
): Figure {
  const usage = prototypeUsage(counts);
  const { title = 'Prototype usage', width = 520, height = 300 } = options;
  const share = formatPercent(usage.used / usage.total);
  const facts = [
    `${formatNumber(usage.used)} of ${formatNumber(usage.total)} used (${share})`,
    `perplexity ${formatNumber(Math.round(usage.perplexity))}`,
    `busiest ${formatNumber(Number(usage.busiest.toFixed(1)))} × uniform`,
  ];
  const head = heading(14, title, facts.join(' · '));
  const bins = octaveCounts(counts, usage.total);
  const bottom = height - 50;
  const y = makeAxis({ label: 'prototypes' }, [0, Math.max(...bins)], [bottom, head.height + 6]);
  const area: PlotArea = { left: yAxisWidth(y), right: width - 20, top: head.height + 6, bottom };
  const slot = (area.right - area.left) / bins.length;
  const names = binNames();
  const x = {
    at: (bin: number) => area.left + (bin + 0.5) * slot,
    ticks: names.map((text, value) => ({ value, text })),
    label: 'usage relative to uniform',
  };
  const bars = bins.map((count, bin): Markup => {
    const place = { x: area.left + bin * slot + 2, y: y.at(count), width: slot - 4, height: bottom - y.at(count) };
    const fill = bin === 0 ? '#7d838c' : SERIES_COLOURS[0];
    return count === 0
      ? ''
      : element('rect', { ...place, fill, rx: 1.5 }, tooltip(`${names[bin]}: ${formatNumber(count)}`));
  });
  return figure({ width, height }, `${title}: ${facts[0]}`, [...head.pieces, ...drawFrame(area, x, y), ...bars]);
}

function octaveCounts(counts: ArrayLike<number>, total: number): number[] {
  const bins = new Array<number>(2 * OCTAVES + 2).fill(0);
  const sum = Array.from(counts).reduce((a, b) => a + b, 0);
  for (let k = 0; k < counts.length; k++) {
    if (counts[k]! === 0) bins[0]!++;
    else bins[1 + OCTAVES + clampOctave(Math.round(Math.log2((counts[k]! * total) / sum)))]!++;
  }
  return bins;
}

function clampOctave(octave: number): number {
  return Math.min(OCTAVES, Math.max(-OCTAVES, octave));
}

function binNames(): string[] {
  const names = Array.from({ length: 2 * OCTAVES + 1 }, (_, i) => {
    const octave = i - OCTAVES;
    const name = octave < 0 ? `1/${2 ** -octave}` : `${2 ** octave}`;
    return octave === -OCTAVES ? `≤${name}` : octave === OCTAVES ? `≥${name}` : name;
  });
  return ['0', ...names];
}
