/**
 * Colour maps for values, and palettes for lines and classes. The maps are sequential and perceptually uniform: equal
 * steps in value look like equal steps in colour, also in print and to the colour-blind (viridis, magma, inferno,
 * plasma of matplotlib; cividis of Nunez et al. 2018), of 256 colours each. The palettes are categorical: one for lines
 * and bars, and the one that PASCAL VOC colours its class indices with.
 */
import { checkLength, VizError } from '../errors';
import { COLORMAP_TABLES, type ColormapName } from './colormap-tables';
import { cellsOf, type Grid, pixelPerCell } from './grid';
import { type PixelImage, type Rgb, rgbImage } from './image';

export type { ColormapName } from './colormap-tables';

/** Colours for lines and bars, told apart on white, on black and by the colour-blind; used in this order. */
export const SERIES_COLOURS: readonly string[] = [
  '#3b78d8',
  '#e0722c',
  '#2c9c6e',
  '#c2457b',
  '#8b66d4',
  '#a3801f',
  '#259fb4',
  '#7d838c',
];

const TABLES = new Map<ColormapName, Uint8Array>();

/** The map as 256 colours, [256, 3]; throws `options` on an unknown name. */
export function colormapTable(name: ColormapName): Uint8Array {
  const known = TABLES.get(name);
  if (known) return known;
  const digits = COLORMAP_TABLES[name];
  if (!digits) {
    throw new VizError(
      'options',
      `there is no colour map '${name}'; choose ${Object.keys(COLORMAP_TABLES).join(', ')}`,
    );
  }
  const table = Uint8Array.from({ length: 256 * 3 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
  TABLES.set(name, table);
  return table;
}

/** The colour of `t` in 0..1 (clipped; NaN is taken as 0). */
export function colormapColour(name: ColormapName, t: number): Rgb {
  const index = Math.round(Math.min(1, Math.max(0, t || 0)) * 255) * 3;
  const table = colormapTable(name);
  return [table[index]!, table[index + 1]!, table[index + 2]!];
}

/** A picture of `values` on a grid, a pixel for each, whose `domain` spans the map; values that are not finite become mid-grey. */
export function colourise(
  values: ArrayLike<number>,
  grid: Grid,
  domain: readonly [low: number, high: number],
  name: ColormapName,
): PixelImage {
  checkLength('the map of values', values, grid);
  const [low, high] = domain;
  const data = new Uint8Array(cellsOf(grid) * 3);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const t = high > low ? (value - low) / (high - low) : 0;
    data.set(Number.isFinite(value) ? colormapColour(name, t) : [128, 128, 128], i * 3);
  }
  const { width, height } = pixelPerCell(grid);
  return rgbImage(width, height, data);
}

/** Smallest and largest finite value; `[0, 1]` when there is none. */
export function extent(values: ArrayLike<number>): [low: number, high: number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : [0, 1];
}

/** The value below which the share `q` (0..1) of the finite values lies, interpolated between neighbours; NaN without any. */
export function quantile(values: ArrayLike<number>, q: number): number {
  const sorted = Float64Array.from(Array.from(values).filter(Number.isFinite)).sort();
  if (sorted.length === 0) return Number.NaN;
  const position = Math.min(1, Math.max(0, q)) * (sorted.length - 1);
  const low = Math.floor(position);
  const high = Math.min(sorted.length - 1, low + 1);
  return sorted[low]! + (position - low) * (sorted[high]! - sorted[low]!);
}

/** The colour that PASCAL VOC gives to a class index: its bits spread over the high bits of red, green and blue. */
export function vocColour(index: number): Rgb {
  const colour: [number, number, number] = [0, 0, 0];
  for (let bit = 0; bit < 8; bit++) {
    for (let channel = 0; channel < 3; channel++) colour[channel]! |= ((index >> (bit * 3 + channel)) & 1) << (7 - bit);
  }
  return colour;
}
