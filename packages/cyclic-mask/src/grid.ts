/** The patch grid of an image, and what a mask over it is. */
import { CyclicMaskError } from './errors';

/** Size of the patch grid of an image, in patches: 224 px at patch 14 is 16 x 16. */
export interface Grid {
  readonly height: number;
  readonly width: number;
}

/** One mask `[height * width]`, row-major: 1 = masked (hidden from the student), 0 = visible. */
export type Mask = Uint8Array;

/** Number of patches N of the grid. Throws `grid` unless both sides are positive integers. */
export function cellCount(grid: Grid): number {
  const { height, width } = grid ?? {};
  if (!isPositiveInteger(height) || !isPositiveInteger(width)) {
    throw new CyclicMaskError(
      'grid',
      `a grid of ${height} x ${width} patches has no cells to mask: give { height, width }, both positive integers`,
    );
  }
  return height * width;
}

/** N, after checking that `count` patches can be masked. Throws `grid`, `count`. */
export function checkedCellCount(grid: Grid, count: number): number {
  const cells = cellCount(grid);
  if (!Number.isInteger(count) || count < 0 || count > cells) {
    throw new CyclicMaskError(
      'count',
      `cannot mask ${count} patches of a ${grid.height} x ${grid.width} grid: give an integer from 0 to ${cells}`,
    );
  }
  return cells;
}

function isPositiveInteger(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}
