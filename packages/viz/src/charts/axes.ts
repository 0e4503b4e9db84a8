/**
 * The frame of a chart: two scales, horizontal grid lines, ticks, axis titles and the legend row. Scales and ticks are
 * d3-scale's; a logarithmic axis whose ticks are not given shows powers of ten.
 */
import { scaleLinear, scaleLog } from 'd3-scale';
import { formatNumber } from '../drawing/number-format';
import { element, escapeText, LABEL_SIZE, label, line, type Markup, MUTED, textWidth } from '../drawing/svg';
import { VizError } from '../errors';

/** How an axis maps values to pixels and labels them. */
export interface AxisOptions {
  /** Title of the axis, with its unit. */
  readonly label?: string;
  readonly kind?: 'linear' | 'log';
  /** Ends of the axis. Default: the data's, widened to round numbers. */
  readonly domain?: readonly [low: number, high: number];
  /** Where ticks stand. Default: about five round numbers. */
  readonly ticks?: readonly number[];
  readonly format?: (value: number) => string;
}

/** A scale and its ticks. */
export interface Axis {
  /** Pixel of a value. */
  readonly at: (value: number) => number;
  readonly ticks: readonly { readonly value: number; readonly text: string }[];
  readonly label: string | undefined;
}

/** The rectangle that data is drawn in, in pixels. */
export interface PlotArea {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** An axis over pixels `range` for data that spans `dataDomain`. */
export function makeAxis(
  options: AxisOptions,
  dataDomain: readonly [number, number],
  range: readonly [number, number],
): Axis {
  const isLog = options.kind === 'log';
  const [low, high] = widen(options.domain ?? dataDomain, isLog);
  const scale = (isLog ? scaleLog() : scaleLinear()).domain([low, high]).range([range[0], range[1]]);
  if (!options.domain && !isLog) scale.nice(5);
  const values = options.ticks ?? (isLog ? powersOfTen(low, high, scale.ticks(5)) : scale.ticks(5));
  const format = options.format ?? formatNumber;
  return {
    at: (value) => scale(value),
    ticks: values.map((value) => ({ value, text: format(value) })),
    label: options.label,
  };
}

/** Grid lines, ticks and axis titles. */
export function drawFrame(area: PlotArea, x: Axis, y: Axis): Markup[] {
  const pieces = y.ticks.flatMap(({ value, text }) => [
    line(area.left, y.at(value), area.right, y.at(value), { 'stroke-opacity': 0.12 }),
    label(area.left - 8, y.at(value) + LABEL_SIZE * 0.35, text, { anchor: 'end', opacity: MUTED }),
  ]);
  pieces.push(line(area.left, area.bottom, area.right, area.bottom, { 'stroke-opacity': 0.5 }));
  for (const { value, text } of x.ticks) {
    pieces.push(line(x.at(value), area.bottom, x.at(value), area.bottom + 5, { 'stroke-opacity': 0.5 }));
    pieces.push(label(x.at(value), area.bottom + 19, text, { anchor: 'middle', opacity: MUTED }));
  }
  if (x.label) pieces.push(label((area.left + area.right) / 2, area.bottom + 39, x.label, { anchor: 'middle' }));
  if (y.label) {
    const left = area.left - 16 - Math.max(0, ...y.ticks.map(({ text }) => textWidth(text)));
    pieces.push(label(left, (area.top + area.bottom) / 2, y.label, { anchor: 'middle', rotate: -90 }));
  }
  return pieces;
}

/** Pixels left of the plot area that tick labels and title of a y axis take. */
export function yAxisWidth(axis: Axis): number {
  return Math.max(0, ...axis.ticks.map(({ text }) => textWidth(text))) + (axis.label ? 32 : 14);
}

/** One entry of a legend. */
export interface LegendEntry {
  readonly name: string;
  readonly colour: string;
  readonly dashed?: boolean;
  /** A line with an optional marker, or a filled box. */
  readonly shape: 'line' | 'box';
}

/** Entries from left to right, in as many rows as they need. */
export function drawLegend(
  entries: readonly LegendEntry[],
  left: number,
  top: number,
  width: number,
): { pieces: Markup[]; height: number } {
  const pieces: Markup[] = [];
  let x = left;
  let y = top;
  for (const entry of entries) {
    const entryWidth = 24 + textWidth(entry.name) + 18;
    if (x > left && x + entryWidth - 18 > left + width) {
      x = left;
      y += 19;
    }
    pieces.push(legendKey(entry, x, y + 8), label(x + 24, y + 12, entry.name));
    x += entryWidth;
  }
  return { pieces, height: entries.length === 0 ? 0 : y - top + 26 };
}

/** A tooltip of the element that it stands in. */
export function tooltip(text: string): Markup {
  return element('title', {}, escapeText(text));
}

function legendKey(entry: LegendEntry, x: number, y: number): Markup {
  if (entry.shape === 'box') {
    return element('rect', { x: x + 2, y: y - 6, width: 14, height: 12, rx: 2, fill: entry.colour });
  }
  return line(x, y, x + 18, y, {
    stroke: entry.colour,
    'stroke-width': 2.5,
    ...(entry.dashed ? { 'stroke-dasharray': '5 3' } : {}),
  });
}

function widen([low, high]: readonly [number, number], isLog: boolean): [number, number] {
  if (isLog && !(low > 0)) {
    throw new VizError(
      'options',
      `a logarithmic axis starts at ${low}, but must start above 0; use a linear axis or give a domain`,
    );
  }
  if (high > low) return [low, high];
  return isLog ? [low / 2, low * 2] : [low - 0.5 * (Math.abs(low) || 1), low + 0.5 * (Math.abs(low) || 1)];
}

function powersOfTen(low: number, high: number, otherwise: number[]): number[] {
  const first = Math.ceil(Math.log10(low));
  const last = Math.floor(Math.log10(high));
  if (last - first < 1) return otherwise.filter((value) => /^[125]/.test(value.toExponential()));
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}
