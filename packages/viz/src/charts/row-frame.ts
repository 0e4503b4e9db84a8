/** The frame of charts that lie on their side: named rows from top to bottom, one scale from left to right. */
import { formatNumber } from '../drawing/number-format';
import { label, line, type Markup, MUTED, textWidth } from '../drawing/svg';
import { VizError } from '../errors';
import { type Axis, type AxisOptions, makeAxis, type PlotArea } from './axes';

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

/** Room below the rows for ticks and the axis title. */
export const axisHeight = (x: AxisOptions = {}): number => (x.label ? 52 : 32);

/** Left end of the plot beside names of rows, which take at most so much of the width. */
export function namesWidth(names: readonly string[], width: number): number {
  const widest = names.reduce((most, name) => Math.max(most, textWidth(name)), 0);
  return Math.min(widest + 26, 0.45 * width);
}

/** The scale of rows, with round ends. */
export function rowAxis(
  options: AxisOptions | undefined,
  domain: readonly [number, number],
  area: Pick<PlotArea, 'left' | 'right'>,
): Axis {
  return makeAxis(options ?? {}, domain, [area.left, area.right]);
}

/** Vertical grid lines, ticks below them and the axis title. */
export function drawRowFrame(area: PlotArea, x: Axis): Markup[] {
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
