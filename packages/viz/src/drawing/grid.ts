/** Grids of patches: `[rows, columns]`, the same structure in every package. */
import type { ImageSize } from './resample';

/** Rows and columns of a grid of patches or of any other cells. */
export type Grid = readonly [rows: number, columns: number];

/** Cells of a grid. */
export const cellsOf = ([rows, columns]: Grid): number => rows * columns;

/** A grid with a pixel for each cell. */
export const pixelPerCell = ([height, width]: Grid): ImageSize => ({ height, width });
