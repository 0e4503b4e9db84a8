/**
 * A grid of tokens in tiles, each with the cells that its tokens can see: the smallest rectangle that holds every neighbourhood. Products of a tile with its
 * reach are a small part of those of all pairs where the radius is small beside the grid, and bounded where it is not.
 */
import type { Extent } from '../numerics/bilinear';

/** A rectangle of cells, half-open. */
export interface CellRectangle {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

export interface Tile {
  readonly cells: CellRectangle;
  /** Cells within the radius of any of these. */
  readonly reach: CellRectangle;
}

/** Products of one tile: 64 MiB of f32. */
const MOST_PRODUCTS = 2 ** 24;

/** Tiles of even size that cover the grid, row by row; `sources` grids are searched at once. */
export function tilesOf(grid: Extent, radius: number, sources: number): Tile[] {
  const seen = (side: number, extent: number): number => Math.min(extent, side + 2 * radius);
  // as wide as a neighbourhood: smaller ones see mostly the same cells, larger ones many that are too far
  let side = 2 * radius;
  while (side > 1 && side ** 2 * seen(side, grid[0]) * seen(side, grid[1]) * sources > MOST_PRODUCTS) side >>= 1;
  const [rows, columns] = [spans(grid[0], side), spans(grid[1], side)];
  return rows.flatMap(([top, bottom]) =>
    columns.map(([left, right]) => ({
      cells: { top, bottom, left, right },
      reach: {
        top: Math.max(0, top - radius),
        bottom: Math.min(grid[0], bottom + radius),
        left: Math.max(0, left - radius),
        right: Math.min(grid[1], right + radius),
      },
    })),
  );
}

export const cellCount = ({ top, bottom, left, right }: CellRectangle): number => (bottom - top) * (right - left);

/** The fewest even spans of at most `side`. */
function spans(extent: number, side: number): (readonly [begin: number, end: number])[] {
  const count = Math.ceil(extent / side);
  return Array.from(
    { length: count },
    (_, i) => [Math.floor((i * extent) / count), Math.floor(((i + 1) * extent) / count)] as const,
  );
}
