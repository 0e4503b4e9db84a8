/**
 * Differences with their intervals, a row each (a forest plot): a dot where the difference is, a line over its interval, and a mark at 0. A dot is hollow
 * and its line pale where the interval does not tell the difference from 0.
 */
import { SERIES_COLOURS } from '../drawing/colormap';
import { formatNumber } from '../drawing/number-format';
import { element, type Figure, label, line, type Markup, MUTED } from '../drawing/svg';
import { type Axis, tooltip } from './axes';
import { checkDrawn, drawRowName, type RowChartOptions, rowChart } from './row-frame';

/** One row. */
export interface Interval {
  /** Of the row; rows in succession that have the same name show it once. */
  readonly name: string;
  /** Of which of several things it is: decides the colour and stands in the legend. */
  readonly series: string;
  /** CSS colour. Default: one of `SERIES_COLOURS` for each series. */
  readonly colour?: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Whether the interval tells the value from 0. */
  readonly resolved: boolean;
}

/** Options of `intervalPlot`. */
export type IntervalPlotOptions = RowChartOptions;

const ROW = 20;
const GAP = 8;

/** Throws `not-finite` for a number that is none. */
export function intervalPlot(intervals: readonly Interval[], options: IntervalPlotOptions = {}): Figure {
  for (const { name, value, low, high } of intervals) checkDrawn(name, [value, low, high]);
  const { format = threeDigits } = options;
  const names = [...new Set(intervals.map(({ series }) => series))];
  const colourOf = (series: string): string =>
    intervals.find((interval) => interval.series === series)?.colour ??
    SERIES_COLOURS[names.indexOf(series) % SERIES_COLOURS.length]!;
  const placed = placeRows(intervals);
  const rows = {
    title: names.join(', '),
    names: intervals.map(({ name }) => name),
    legend: names.map((name) => ({ name, colour: colourOf(name), shape: 'line' as const })),
    values: intervals.flatMap(({ low, value, high }) => [low, value, high]),
    above: 6,
    height: (placed.at(-1)?.y ?? 0) + ROW / 2 + 4,
    right: 150,
  };
  return rowChart(options, rows, (area, x) => [
    line(x.at(0), area.top, x.at(0), area.bottom, { 'stroke-opacity': 0.6 }),
    ...placed.flatMap(({ interval, y: below, isNamed }) => {
      const y = area.top + below;
      const text = textOf(interval, format);
      return [
        ...(isNamed ? [drawRowName(interval.name, area, y)] : []),
        ...drawInterval(interval, text, colourOf(interval.series), y, x),
        label(area.right + 12, y + 4, text, { opacity: interval.resolved ? undefined : MUTED, size: 11 }),
      ];
    }),
  ]);
}

/** Places below the top of the rows; those of one name stand close together. */
function placeRows(intervals: readonly Interval[]) {
  let y = -ROW / 2;
  return intervals.map((interval, i) => {
    const isNamed = interval.name !== intervals[i - 1]?.name;
    y += ROW + (isNamed ? GAP : 0);
    return { interval, y, isNamed };
  });
}

function drawInterval(interval: Interval, said: string, colour: string, y: number, x: Axis): Markup[] {
  const { series, value, low, high, resolved } = interval;
  const stroke = { stroke: colour, 'stroke-width': 2, 'stroke-opacity': resolved ? 1 : 0.55 };
  const dot = { cx: x.at(value), cy: y, r: 4.5, stroke: colour, 'stroke-width': 2 };
  const text = `${series}: ${said}`;
  const rest = resolved
    ? [line(x.at(low), y, x.at(high), y, stroke)]
    : // not through the hollow dot
      [
        line(x.at(low), y, Math.max(x.at(low), x.at(value) - 5), y, stroke),
        line(Math.min(x.at(high), x.at(value) + 5), y, x.at(high), y, stroke),
      ];
  return [...rest, element('circle', { ...dot, fill: resolved ? colour : 'none' }, tooltip(text))];
}

const threeDigits = (value: number): string => formatNumber(Number(value.toPrecision(3)));

function textOf({ value, low, high }: Interval, format: (value: number) => string): string {
  const signed = (number: number): string => `${number > 0 ? '+' : ''}${format(number)}`;
  return `${signed(value)} [${signed(low)}, ${signed(high)}]`;
}
