/**
 * Heat maps on patch grids, side by side under one colour bar. They show mask coverage per strategy, positions at which
 * a cluster occurs, position embedding similarity. Cells are crisp squares; the colour maps are perceptually uniform.
 */
import { type ColormapName, colormapColour, colourise, extent } from '../drawing/colormap';
import type { Grid } from '../drawing/grid';
import { type PixelImage, rgbImage } from '../drawing/image';
import { formatNumber } from '../drawing/number-format';
import { resizeImage } from '../drawing/resample';
import {
  element,
  type Figure,
  figure,
  heading,
  label,
  line,
  type Markup,
  MUTED,
  picture,
  textWidth,
} from '../drawing/svg';
import { checkLength, VizError } from '../errors';
import { makeAxis } from './axes';

/** One map of values. */
export interface HeatPanel {
  /** [rows, columns]. */
  readonly values: ArrayLike<number>;
  readonly grid: Grid;
  readonly title?: string;
  /** A line below the map, a statistic of it for example. */
  readonly note?: string;
}

/** Options of `heatMapFigure`. */
export interface HeatMapOptions {
  readonly title?: string;
  readonly subtitle?: string;
  /** What the colours mean, beside the bar. */
  readonly label?: string;
  readonly colormap?: ColormapName;
  /** Ends of the colour map. Default: smallest and largest value of all panels. */
  readonly domain?: readonly [low: number, high: number];
  readonly format?: (value: number) => string;
  /** Width of a panel in CSS pixels. Default 160. */
  readonly panelWidth?: number;
  /** Panels in a row. Default: all, at most 4. */
  readonly columns?: number;
}

const GAP = 18;
const BAR_WIDTH = 14;

/** Panels with a common colour bar on the right. Throws `shape` when there is none or one does not fit its size. */
export function heatMapFigure(panels: readonly HeatPanel[], options: HeatMapOptions = {}): Figure {
  if (panels.length === 0) throw new VizError('shape', 'no map was passed; give at least one panel');
  for (const panel of panels) checkLength(`the map '${panel.title ?? ''}'`, panel.values, panel.grid);
  const { panelWidth = 160, colormap = 'viridis', format = formatNumber } = options;
  const columns = Math.min(panels.length, options.columns ?? 4);
  const domain = options.domain ?? extent(panels.flatMap((panel) => extent(panel.values)));
  const head = heading(14, options.title, options.subtitle);
  const panelHeight = Math.max(...panels.map(({ grid: [rows, across] }) => (panelWidth * rows) / across));
  const above = panels.some((panel) => panel.title) ? 22 : 0;
  const below = panels.some((panel) => panel.note) ? 20 : 0;
  const rowHeight = above + panelHeight + below + GAP;
  const pieces = [...head.pieces];
  panels.forEach((panel, i) => {
    const x = 14 + (i % columns) * (panelWidth + GAP);
    const y = head.height + Math.floor(i / columns) * rowHeight;
    pieces.push(...drawPanel(panel, { x, y: y + above, width: panelWidth }, domain, colormap));
  });
  const rows = Math.ceil(panels.length / columns);
  const bottom = head.height + rows * rowHeight - GAP - below;
  const barLeft = 14 + columns * (panelWidth + GAP) + 4;
  const bar = drawColourBar(
    { left: barLeft, top: head.height + above, bottom },
    domain,
    colormap,
    options.label,
    format,
  );
  pieces.push(...bar.pieces);
  return figure(
    { width: barLeft + bar.width + 14, height: bottom + below + 14 },
    options.title ?? options.label ?? 'Heat map',
    pieces,
  );
}

/** The colour map from low (bottom) to high (top) with ticks; says how wide it is with its labels. */
function drawColourBar(
  place: { left: number; top: number; bottom: number },
  domain: readonly [number, number],
  colormap: ColormapName,
  title: string | undefined,
  format: (value: number) => string,
): { pieces: Markup[]; width: number } {
  const { left, top, bottom } = place;
  const axis = makeAxis({ domain, format }, domain, [bottom, top]);
  const right = left + BAR_WIDTH;
  const pieces = [picture(colourStrip(colormap), { x: left, y: top, width: BAR_WIDTH, height: bottom - top })];
  for (const { value, text } of axis.ticks) {
    pieces.push(line(right, axis.at(value), right + 4, axis.at(value), { 'stroke-opacity': 0.5 }));
    pieces.push(label(right + 8, axis.at(value) + 4, text, { opacity: MUTED, size: 11 }));
  }
  const ticksWidth = Math.max(0, ...axis.ticks.map(({ text }) => textWidth(text, 11)));
  if (!title) return { pieces, width: BAR_WIDTH + 8 + ticksWidth };
  pieces.push(label(right + 8 + ticksWidth + 18, (top + bottom) / 2, title, { anchor: 'middle', rotate: -90 }));
  return { pieces, width: BAR_WIDTH + 8 + ticksWidth + 24 };
}

/** Cells enlarged by a whole factor, so that no viewer blurs them. */
function crisp(image: PixelImage, width: number): PixelImage {
  const factor = Math.max(1, Math.ceil((2 * width) / image.width));
  return resizeImage(image, { height: image.height * factor, width: image.width * factor }, 'nearest');
}

function drawPanel(
  panel: HeatPanel,
  place: { x: number; y: number; width: number },
  domain: readonly [number, number],
  colormap: ColormapName,
): Markup[] {
  const [rows, columns] = panel.grid;
  const height = (place.width * rows) / columns;
  const image = crisp(colourise(panel.values, panel.grid, domain, colormap), place.width);
  const middle = place.x + place.width / 2;
  const pieces = [picture(image, { ...place, height })];
  pieces.push(element('rect', { ...place, height, fill: 'none', stroke: 'currentColor', 'stroke-opacity': 0.25 }));
  if (panel.title) pieces.push(label(middle, place.y - 8, panel.title, { anchor: 'middle', weight: 600 }));
  if (panel.note)
    pieces.push(label(middle, place.y + height + 17, panel.note, { anchor: 'middle', opacity: MUTED, size: 11 }));
  return pieces;
}

function colourStrip(colormap: ColormapName): PixelImage {
  const data = new Uint8Array(256 * 3);
  for (let i = 0; i < 256; i++) data.set(colormapColour(colormap, 1 - i / 255), i * 3);
  return rgbImage(1, 256, data);
}
