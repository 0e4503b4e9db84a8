/**
 * Line charts, with bands, markers, references and logarithmic axes. A value that is not finite (or not positive, on a
 * logarithmic axis) breaks its line: a run that diverged is shown up to where it did. Long series are thinned to the
 * smallest and largest value of each pixel column, which draws the same picture.
 */
import { extent, SERIES_COLOURS } from '../drawing/colormap';
import { formatNumber } from '../drawing/number-format';
import { element, type Figure, figure, heading, label, line, type Markup, MUTED, round } from '../drawing/svg';
import { VizError } from '../errors';
import {
  type Axis,
  type AxisOptions,
  drawFrame,
  drawLegend,
  makeAxis,
  type PlotArea,
  tooltip,
  yAxisWidth,
} from './axes';

/** One line of a chart. */
export interface Series {
  readonly name: string;
  readonly x: ArrayLike<number>;
  /** As many values as `x`. */
  readonly y: ArrayLike<number>;
  /** Lower and upper end of a band around the line (seeds, confidence), as many values as `x`. */
  readonly band?: { readonly low: ArrayLike<number>; readonly high: ArrayLike<number> };
  /** CSS colour. Default: the next of `SERIES_COLOURS`. */
  readonly colour?: string;
  readonly dashed?: boolean;
  /** Thin and pale, left out of the legend: raw values behind a smoothed line. */
  readonly faint?: boolean;
}

/** Options of `lineChart`. */
export interface LineChartOptions {
  readonly title?: string;
  readonly subtitle?: string;
  readonly x?: AxisOptions;
  readonly y?: AxisOptions;
  /** Dots at the values, with their numbers as tooltips. */
  readonly markers?: boolean;
  /** Dashed horizontal lines: chance, a published figure. */
  readonly references?: readonly { readonly value: number; readonly label: string }[];
  /** CSS pixels, title and legend included. Default 520 x 310. */
  readonly width?: number;
  readonly height?: number;
}

type Point = readonly [x: number, y: number];

/** Lines over a common x. Throws `shape` when a series' arrays differ in length. */
export function lineChart(series: readonly Series[], options: LineChartOptions = {}): Figure {
  series.forEach(checkSeries);
  const { width = 520, height = 310 } = options;
  const head = heading(14, options.title, options.subtitle);
  const coloured = assignColours(series);
  const named = coloured.filter((one) => !one.faint);
  const legend = drawLegend(
    named.length > 1 ? named.map((one) => ({ ...one, shape: 'line' as const })) : [],
    14,
    head.height,
    width - 28,
  );
  const top = head.height + legend.height + 6;
  const bottom = height - (options.x?.label ? 50 : 30);
  const y = makeAxis(options.y ?? {}, yExtent(series, options), [bottom, top]);
  const area: PlotArea = { left: Math.max(14, yAxisWidth(y)), right: width - 26, top, bottom };
  const x = makeAxis(options.x ?? {}, xExtent(series, options), [area.left, area.right]);
  const shapes = coloured.flatMap((one) => drawSeries(one, x, y, area, options));
  const pieces = [
    ...head.pieces,
    ...legend.pieces,
    ...drawFrame(area, x, y),
    ...(options.references ?? [])
      .filter((reference) => isUsable(reference.value, options.y))
      .flatMap((reference) => drawReference(reference, y, area)),
    clip(area, shapes),
  ];
  if (shapes.length === 0) {
    pieces.push(
      label((area.left + area.right) / 2, (area.top + area.bottom) / 2, 'no finite values', {
        anchor: 'middle',
        opacity: MUTED,
      }),
    );
  }
  return figure({ width, height }, options.title ?? series.map((one) => one.name).join(', '), pieces);
}

function checkSeries(series: Series): void {
  const { name, x, y, band } = series;
  for (const [what, values] of [
    ['y', y],
    ['band.low', band?.low],
    ['band.high', band?.high],
  ] as const) {
    if (values && values.length !== x.length) {
      throw new VizError(
        'shape',
        `series '${name}' has ${x.length} x values but ${values.length} of ${what}; pass one for each`,
      );
    }
  }
}

function assignColours(series: readonly Series[]): (Series & { colour: string })[] {
  let next = 0;
  return series.map((one) => ({ ...one, colour: one.colour ?? SERIES_COLOURS[next++ % SERIES_COLOURS.length]! }));
}

function drawSeries(
  series: Series & { colour: string },
  x: Axis,
  y: Axis,
  area: PlotArea,
  options: LineChartOptions,
): Markup[] {
  const runs = finiteRuns(series.x, series.y, options);
  const toPixels = (points: readonly Point[]): Point[] => points.map(([a, b]) => [x.at(a), y.at(b)]);
  const pieces = series.band ? [drawBand(series, series.band, x, y, options)] : [];
  const stroke = {
    fill: 'none',
    stroke: series.colour,
    'stroke-width': series.faint ? 1 : 2,
    'stroke-opacity': series.faint ? 0.3 : undefined,
    'stroke-dasharray': series.dashed ? '6 4' : undefined,
    'stroke-linejoin': 'round',
    'stroke-linecap': 'round',
  };
  for (const run of runs) pieces.push(element('path', { d: pathOf(thin(toPixels(run), area)), ...stroke }));
  if (options.markers && !series.faint) {
    for (const [a, b] of runs.flat()) {
      const text = `${series.name}: ${formatNumber(b)} at ${formatNumber(a)}`;
      pieces.push(element('circle', { cx: x.at(a), cy: y.at(b), r: 3.5, fill: series.colour }, tooltip(text)));
    }
  }
  return pieces;
}

function drawBand(
  series: Series & { colour: string },
  band: NonNullable<Series['band']>,
  x: Axis,
  y: Axis,
  options: LineChartOptions,
): Markup {
  const outlines = [];
  const lows = finiteRuns(series.x, band.low, options).flat();
  const highs = new Map(finiteRuns(series.x, band.high, options).flat());
  const both = lows.filter(([a]) => highs.has(a));
  const upper = both.map(([a]): Point => [x.at(a), y.at(highs.get(a)!)]);
  const lower = both.map(([a, b]): Point => [x.at(a), y.at(b)]).reverse();
  if (both.length > 1) outlines.push(`${pathOf([...upper, ...lower])}Z`);
  return element('path', { d: outlines.join(''), fill: series.colour, 'fill-opacity': 0.18 });
}

function drawReference(reference: { value: number; label: string }, y: Axis, area: PlotArea): Markup[] {
  const at = y.at(reference.value);
  return [
    line(area.left, at, area.right, at, { 'stroke-dasharray': '3 3', 'stroke-opacity': 0.7 }),
    label(area.right - 4, at - 5, reference.label, { anchor: 'end', opacity: MUTED, size: 11 }),
  ];
}

/** Draws only inside the area: a nested viewport clips without an id. */
function clip(area: PlotArea, shapes: readonly Markup[]): Markup {
  const margin = 5;
  const box = {
    x: area.left - margin,
    y: area.top - margin,
    width: area.right - area.left + 2 * margin,
    height: area.bottom - area.top + 2 * margin,
  };
  return element(
    'svg',
    { ...box, viewBox: `${round(box.x)} ${round(box.y)} ${round(box.width)} ${round(box.height)}` },
    shapes.join(''),
  );
}

function finiteRuns(xs: ArrayLike<number>, ys: ArrayLike<number>, options: LineChartOptions): Point[][] {
  const runs: Point[][] = [];
  let run: Point[] = [];
  for (let i = 0; i < xs.length; i++) {
    if (isUsable(xs[i]!, options.x) && isUsable(ys[i]!, options.y)) {
      if (run.length === 0) runs.push(run);
      run.push([xs[i]!, ys[i]!]);
    } else {
      run = [];
    }
  }
  return runs;
}

/** Keeps first, lowest, highest and last point of each pixel column, in order. */
function thin(points: readonly Point[], area: PlotArea): readonly Point[] {
  if (points.length <= 4 * (area.right - area.left)) return points;
  const kept = new Set<number>([0, points.length - 1]);
  let start = 0;
  for (let i = 1; i <= points.length; i++) {
    if (i < points.length && Math.floor(points[i]![0]) === Math.floor(points[start]![0])) continue;
    let [low, high] = [start, start];
    for (let j = start; j < i; j++) {
      if (points[j]![1] < points[low]![1]) low = j;
      if (points[j]![1] > points[high]![1]) high = j;
    }
    for (const index of [start, low, high, i - 1]) kept.add(index);
    start = i;
  }
  return [...kept].sort((a, b) => a - b).map((i) => points[i]!);
}

function pathOf(points: readonly Point[]): string {
  if (points.length === 1) return `M${round(points[0]![0])} ${round(points[0]![1])}h0`;
  return points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('');
}

function xExtent(series: readonly Series[], options: LineChartOptions): [number, number] {
  const values = series.flatMap((one) =>
    finiteRuns(one.x, one.y, options)
      .flat()
      .map(([a]) => a),
  );
  return extentOr(values, options.x);
}

function yExtent(series: readonly Series[], options: LineChartOptions): [number, number] {
  const values = series.flatMap((one) =>
    [one.y, one.band?.low, one.band?.high].flatMap((ys) =>
      ys
        ? finiteRuns(one.x, ys, options)
            .flat()
            .map(([, b]) => b)
        : [],
    ),
  );
  const references = (options.references ?? []).map((reference) => reference.value);
  return extentOr([...values, ...references.filter((value) => isUsable(value, options.y))], options.y);
}

/** Without any value the axis still needs ends: 0..1, or 1..10 on a logarithmic one. */
function extentOr(values: readonly number[], axis?: AxisOptions): [number, number] {
  if (values.length > 0) return extent(values);
  return axis?.kind === 'log' ? [1, 10] : [0, 1];
}

function isUsable(value: number, axis?: AxisOptions): boolean {
  return Number.isFinite(value) && (axis?.kind !== 'log' || value > 0);
}
