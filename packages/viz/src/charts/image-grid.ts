/**
 * Contact sheets: pictures in rows and columns with labels. Each is scaled to fit its cell, smooth when it shrinks and
 * crisp (whole factors) when it grows a lot, so that a 14 x 14 map stays a map of squares.
 */
import type { PixelImage } from '../drawing/image';
import { resizeImage } from '../drawing/resample';
import { element, type Figure, figure, heading, label, type Markup, MUTED, picture, textWidth } from '../drawing/svg';
import { checkCount, checkRange, VizError } from '../errors';
import { drawLegend } from './axes';

/** A picture with an optional line below it. */
export interface GridCell {
  readonly image: PixelImage;
  readonly label?: string;
  /** Colour of a line around the picture, such as `#2f66c4`: marks some of many. */
  readonly frame?: string;
}

/** One row; `undefined` leaves a place empty. */
export interface GridRow {
  /** Stands left of the row. */
  readonly label?: string;
  readonly cells: readonly (GridCell | undefined)[];
}

/** Options of `imageGrid`. */
export interface ImageGridOptions {
  readonly title?: string;
  readonly subtitle?: string;
  readonly columnLabels?: readonly string[];
  /** Side of a (square) cell in CSS pixels. Default 128. */
  readonly cellSize?: number;
  /** Pixels stored per CSS pixel: 2 for print and sharp screens, 1 for small files. Default 2. */
  readonly density?: number;
  /** Names and colours below the grid. */
  readonly legend?: readonly { readonly name: string; readonly colour: string }[];
}

const GAP = 6;
const LINE_HEIGHT = 17;
const FRAME = 4;

/** Rows of pictures. Throws `shape` when there is no picture at all. */
export function imageGrid(rows: readonly GridRow[], options: ImageGridOptions = {}): Figure {
  const columns = Math.max(0, ...rows.map((row) => row.cells.length));
  if (columns === 0) throw new VizError('shape', 'no picture was passed; give at least one row with one cell');
  const { cellSize = 128, density = 2 } = options;
  checkRange('the density', density, 0.25, 8);
  const head = heading(14, options.title, options.subtitle);
  const rowLabelWidth = Math.max(0, ...rows.map((row) => (row.label ? textWidth(row.label) + 12 : 0)));
  const left = 14 + rowLabelWidth;
  const pieces = [...head.pieces];
  let y = head.height;
  if (options.columnLabels) {
    y += LINE_HEIGHT;
    options.columnLabels.forEach((text, i) => {
      pieces.push(label(left + i * (cellSize + GAP) + cellSize / 2, y - 5, text, { anchor: 'middle', weight: 600 }));
    });
  }
  for (const row of rows) {
    const height = rowHeight(row, cellSize);
    if (row.label) pieces.push(label(left - 12, y + height / 2 + 4, row.label, { anchor: 'end' }));
    row.cells.forEach((cell, i) => {
      if (cell) pieces.push(...drawCell(cell, left + i * (cellSize + GAP), y, { width: cellSize, height, density }));
    });
    y += height + GAP + (row.cells.some((cell) => cell?.label) ? LINE_HEIGHT : 0);
  }
  const width = Math.max(left + columns * (cellSize + GAP) - GAP + 14, 28 + headingWidth(options));
  const entries = (options.legend ?? []).map((entry) => ({ ...entry, shape: 'box' as const }));
  const key = drawLegend(entries, left, y + 4, width - left - 14);
  pieces.push(...key.pieces);
  return figure({ width, height: y + key.height + 8 }, options.title ?? 'Pictures', pieces);
}

/** Pictures in reading order, `columns` in a row. */
export function contactSheet(cells: readonly GridCell[], columns: number, options: ImageGridOptions = {}): Figure {
  checkCount('the number of columns', columns);
  const rows = Array.from({ length: Math.ceil(cells.length / columns) }, (_, i) => ({
    cells: cells.slice(i * columns, (i + 1) * columns),
  }));
  return imageGrid(rows, options);
}

function headingWidth(options: ImageGridOptions): number {
  return Math.max(textWidth(options.title ?? '', 14), textWidth(options.subtitle ?? ''));
}

/** The tallest picture of the row, scaled to the cell's width; at most the cell's side. */
function rowHeight(row: GridRow, cellSize: number): number {
  const heights = row.cells.map((cell) => (cell ? cell.image.height * fitScale(cell.image, cellSize) : 0));
  return Math.max(1, ...heights);
}

function fitScale(image: PixelImage, cellSize: number): number {
  return cellSize / Math.max(image.width, image.height);
}

function drawCell(
  { image, label: text, frame }: GridCell,
  x: number,
  y: number,
  cell: { width: number; height: number; density: number },
): Markup[] {
  const scale = fitScale(image, cell.width);
  const size = { width: image.width * scale, height: image.height * scale };
  const place = { x: x + (cell.width - size.width) / 2, y: y + (cell.height - size.height) / 2, ...size };
  const pieces = [picture(forDisplay(image, cell.density * scale), place)];
  if (frame)
    pieces.push(element('rect', { ...inset(place, FRAME / 2), fill: 'none', stroke: frame, 'stroke-width': FRAME }));
  if (text) {
    pieces.push(label(x + cell.width / 2, y + cell.height + 13, text, { anchor: 'middle', opacity: MUTED, size: 11 }));
  }
  return pieces;
}

const inset = (
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
  by: number,
): { x: number; y: number; width: number; height: number } => ({
  x: x + by,
  y: y + by,
  width: width - 2 * by,
  height: height - 2 * by,
});

/** No more pixels are stored than are shown; tiny maps are enlarged by a whole factor. */
function forDisplay(image: PixelImage, scale: number): PixelImage {
  if (scale < 1) {
    const to = {
      width: Math.max(1, Math.round(image.width * scale)),
      height: Math.max(1, Math.round(image.height * scale)),
    };
    return resizeImage(image, to, 'area');
  }
  const factor = scale >= 4 ? Math.ceil(scale) : 1;
  return resizeImage(image, { width: image.width * factor, height: image.height * factor }, 'nearest');
}
