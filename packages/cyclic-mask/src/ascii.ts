/** A mask as a picture in text, for terminals and tests. */
import { CyclicMaskError } from './errors';
import { cellCount, type Grid, type Mask } from './grid';

/** How a cell is drawn; two characters make it about square in a terminal. */
export interface AsciiSymbols {
  readonly masked: string;
  readonly visible: string;
}

/** The mask as `height` lines of text. Throws `grid`, and `mask` when the mask is not of that grid. */
export function toAscii(mask: Mask, grid: Grid, symbols: AsciiSymbols = { masked: '##', visible: ' .' }): string {
  const cells = cellCount(grid);
  if (mask.length !== cells) {
    throw new CyclicMaskError(
      'mask',
      `a mask of ${mask.length} patches is not of a ${grid.height} x ${grid.width} grid, which has ${cells}`,
    );
  }
  const line = (row: number) =>
    Array.from(mask.subarray(row * grid.width, (row + 1) * grid.width), (masked) =>
      masked ? symbols.masked : symbols.visible,
    ).join('');
  return Array.from({ length: grid.height }, (_, row) => line(row)).join('\n');
}
