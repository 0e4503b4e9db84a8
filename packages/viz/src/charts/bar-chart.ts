/**
 * Bars in groups, from left to right: a group for each thing measured, in it a bar for each series, with its number at its end. Bars start at 0, so that their
 * lengths compare; a missing value leaves its place empty.
 */
import { SERIES_COLOURS } from '../drawing/colormap';
import { formatNumber } from '../drawing/number-format';
import { element, type Figure, label, line, type Markup, MUTED } from '../drawing/svg';
import { checkOneEach } from '../errors';
import { type Axis, tooltip } from './axes';
import { checkDrawn, drawRowName, type RowChartOptions, rowChart } from './row-frame';

/** One bar in each group. */
export interface BarSeries {
  readonly name: string;
  /** As many as groups; `undefined` where there is none. */
  readonly values: readonly (number | undefined)[];
  /** CSS colour. Default: the next of `SERIES_COLOURS`. */
  readonly colour?: string;
}

/** Options of `barChart`. */
export interface BarChartOptions extends RowChartOptions {
  /** Dashed vertical lines: chance, a published figure. */
  readonly references?: readonly { readonly value: number; readonly label: string }[];
}

const BAR = 15;
const GAP = 14;

/** Throws `shape` where a series has not one value for each group, `not-finite` for a value that is no number. */
export function barChart(
  groups: readonly string[],
  series: readonly BarSeries[],
  options: BarChartOptions = {},
): Figure {
  for (const { name, values } of series) {
    checkOneEach(`values of '${name}'`, values.length, 'bars', groups.length);
    checkDrawn(
      name,
      values.filter((value) => value !== undefined),
    );
  }
  const { references = [], format = formatNumber } = options;
  const coloured = series.map((one, i) => ({ colour: SERIES_COLOURS[i % SERIES_COLOURS.length]!, ...one }));
  const drawn = series.flatMap((one) => one.values).filter((value) => value !== undefined);
  const groupHeight = BAR * series.length + GAP;
  const rows = {
    title: groups.join(', '),
    names: groups,
    legend: coloured.map(({ name, colour }) => ({ name, colour, shape: 'box' as const })),
    values: [...drawn, ...references.map(({ value }) => value)],
    above: references.length > 0 ? 20 : 6,
    height: groupHeight * groups.length,
    right: 60,
  };
  return rowChart(options, rows, (area, x) => [
    ...groups.flatMap((name, group) => {
      const first = area.top + group * groupHeight + GAP / 2;
      return [
        drawRowName(name, area, first + (groupHeight - GAP) / 2),
        ...coloured.flatMap((one, i) => drawBar(one, one.values[group], { top: first + i * BAR, x, format })),
      ];
    }),
    ...references.flatMap(({ value, label: text }) => [
      line(x.at(value), area.top, x.at(value), area.bottom, { 'stroke-dasharray': '3 3', 'stroke-opacity': 0.7 }),
      label(x.at(value), area.top - 5, text, { anchor: 'middle', opacity: MUTED, size: 11 }),
    ]),
    line(x.at(0), area.top, x.at(0), area.bottom, { 'stroke-opacity': 0.5 }),
  ]);
}

function drawBar(
  { name, colour }: { readonly name: string; readonly colour: string },
  value: number | undefined,
  { top, x, format }: { readonly top: number; readonly x: Axis; readonly format: (value: number) => string },
): Markup[] {
  if (value === undefined) return [];
  const [from, to] = [x.at(Math.min(0, value)), x.at(Math.max(0, value))];
  const place = { x: from, y: top + 1, width: to - from, height: BAR - 2, rx: 2 };
  const text = format(value);
  return [
    element('rect', { ...place, fill: colour }, tooltip(`${name}: ${text}`)),
    label(to + 5, top + BAR - 3.5, text, { size: 11 }),
  ];
}
