/** The two curves that every run draws: a quantity over training steps, and quality over feature width. */
import { SERIES_COLOURS } from '../drawing/colormap';
import { formatNumber } from '../drawing/number-format';
import type { Figure } from '../drawing/svg';
import { checkRange, VizError } from '../errors';
import type { AxisOptions } from './axes';
import { type LineChartOptions, lineChart, type Series } from './line-chart';

/** One logged quantity. */
export interface TrainingSeries {
  readonly name: string;
  readonly steps: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** Options of `trainingCurves`. */
export interface TrainingCurveOptions extends LineChartOptions {
  /** Weight of the past in the smoothed line, 0 (none) to below 1. Default 0. */
  readonly smoothing?: number;
}

/**
 * Quantities over training steps. With `smoothing` the raw values stay behind as a faint line and an exponential moving
 * average (corrected for its start, as Adam does) is drawn over it; it skips values that are not finite.
 */
export function trainingCurves(series: readonly TrainingSeries[], options: TrainingCurveOptions = {}): Figure {
  const smoothing = options.smoothing ?? 0;
  checkRange('the smoothing', smoothing, 0, 0.9999);
  const lines = series.flatMap((one, i): Series[] => {
    const raw = { name: one.name, x: one.steps, y: one.values, colour: SERIES_COLOURS[i % SERIES_COLOURS.length]! };
    return smoothing === 0
      ? [raw]
      : [
          { ...raw, faint: true },
          { ...raw, y: smooth(one.values, smoothing) },
        ];
  });
  const x: AxisOptions = { label: 'step', ...options.x };
  return lineChart(lines, { ...options, x });
}

/** Exponential moving average m_t = b m_{t-1} + (1 - b) x_t, divided by 1 - b^t; NaN where x is not finite. */
export function smooth(values: ArrayLike<number>, weight: number): Float64Array {
  let mean = 0;
  let mass = 0;
  return Float64Array.from(values, (value) => {
    if (!Number.isFinite(value)) return Number.NaN;
    mean = weight * mean + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return mean / mass;
  });
}

/** One way to shorten features. */
export interface TruncationSeries {
  readonly name: string;
  /** Quality at each width, in the unit of the y axis. */
  readonly values: ArrayLike<number>;
  readonly band?: Series['band'];
  readonly dashed?: boolean;
}

/**
 * Quality over the number of feature dimensions kept (Franca Fig. 3), on a logarithmic axis with a tick at every width:
 * the nested prefix against its controls (PCA, random subspace). Throws `shape` when a series misses a width.
 */
export function truncationCurve(
  dims: readonly number[],
  series: readonly TruncationSeries[],
  options: LineChartOptions = {},
): Figure {
  const bad = dims.find((dim) => !(dim >= 1));
  if (bad !== undefined) throw new VizError('options', `a feature width is ${bad}; widths start at 1`);
  const lines = series.map(({ values, ...one }): Series => ({ ...one, x: dims, y: values }));
  const x: AxisOptions = {
    label: 'feature dimensions kept',
    kind: 'log',
    ticks: dims,
    format: formatNumber,
    ...options.x,
  };
  return lineChart(lines, { markers: true, ...options, x });
}
