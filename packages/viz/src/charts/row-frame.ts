/** The frame of charts that lie on their side: named rows from top to bottom, one scale from left to right. */
import { extent } from '../drawing/colormap';
import { formatNumber } from '../drawing/number-format';
import { type Figure, figure, heading, label, line, type Markup, MUTED, textWidth } from '../drawing/svg';
import { VizError } from '../errors';
import { type Axis, type AxisOptions, drawLegend, type LegendEntry, makeAxis, type PlotArea } from './axes';

/** What charts of rows have in common. */
export interface RowChartOptions {
  readonly title?: string;
  readonly subtitle?: string;
  readonly x?: AxisOptions;
  /** CSS pixels; the height is what the rows need. Default 720. */
  readonly width?: number;
  /** Of the numbers beside the rows. */
  readonly format?: (value: number) => string;
}

/** What a chart puts into the frame. */
export interface ChartRows {
  /** Of the figure, where the options give none. */
  readonly title: string;
  readonly names: readonly string[];
  readonly legend: readonly LegendEntry[];
  /** What the scale takes in besides 0. */
  readonly values: readonly number[];
  /** Room above the rows, for all of them, and right of them. */
  readonly above: number;
  readonly height: number;
  readonly right: number;
}

/** Heading, legend, scale and grid, and what `draw` makes of the rows in their area. */
export function rowChart(
  { title, subtitle, x: axis = {}, width = 720 }: RowChartOptions,
  rows: ChartRows,
  draw: (area: PlotArea, x: Axis) => readonly Markup[],
): Figure {
  const head = heading(14, title, subtitle);
  const legend = drawLegend(rows.legend, 14, head.height, width - 28);
  const top = head.height + legend.height + rows.above;
  const area: PlotArea = {
    left: namesWidth(rows.names, width),
    right: width - rows.right,
    top,
    bottom: top + rows.height,
  };
  const x = makeAxis(axis, extent([0, ...rows.values]), [area.left, area.right]);
  return figure({ width, height: area.bottom + (axis.label ? 52 : 32) }, title ?? rows.title, [
    ...head.pieces,
    ...legend.pieces,
    ...drawFrame(area, x),
    ...draw(area, x),
  ]);
}

/** Left end of the plot beside names of rows, which take at most so much of the width. */
function namesWidth(names: readonly string[], width: number): number {
  const widest = names.reduce((most, name) => Math.max(most, textWidth(name)), 0);
  return Math.min(widest + 26, 0.45 * width);
}

/** Vertical grid lines, ticks below them and the axis title. */
function drawFrame(area: PlotArea, x: Axis): Markup[] {
  const pieces = x.ticks.flatMap(({ value, text }) => [
    line(x.at(value), area.top, x.at(value), area.bottom, { 'stroke-opacity': 0.12 }),
    label(x.at(value), area.bottom + 17, text, { anchor: 'middle', opacity: MUTED }),
  ]);
  if (x.label) pieces.push(label((area.left + area.right) / 2, area.bottom + 39, x.label, { anchor: 'middle' }));
  return pieces;
}

/** The name of a row, right against the plot, cut where it is longer than its room. */
export function drawRowName(name: string, area: PlotArea, y: number): Markup {
  return label(area.left - 12, y + 4, fitted(name, area.left - 20), { anchor: 'end' });
}

function fitted(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = text;
  while (kept !== '' && textWidth(`${kept}…`) > width) kept = kept.slice(0, -1);
  return `${kept.trimEnd()}…`;
}

/** Throws `not-finite` where a number of a named row cannot be drawn. */
export function checkDrawn(name: string, values: readonly number[]): void {
  const odd = values.find((value) => !Number.isFinite(value));
  if (odd !== undefined)
    throw new VizError('not-finite', `'${name}' has ${formatNumber(odd)}; leave out what has no number`);
}
