/**
 * Pictures in a terminal: each character is an upper half block, which shows two pixels, one above the other, as the colours of its ink
 * and of its ground.
 */
import type { PixelImage } from '@franca/data';
import { resizeImage } from '@franca/viz';

/** Rows of characters at most, so that a tall picture stays one among others. */
const MAX_ROWS = 14;
const GAP = '  ';

/** Whether what is printed is seen in full colour. */
export const showsColour = (stream: NodeJS.WriteStream = process.stdout): boolean =>
  Boolean(stream.isTTY) && stream.hasColors(2 ** 24);

/** Pictures side by side, each at most `columns` characters wide, with a caption below. */
export function sideBySide(
  pictures: readonly { readonly image: PixelImage; readonly caption: string }[],
  columns: number,
): string[] {
  const drawn = pictures.map(({ image }) => halfBlocks(image, columns));
  const rows = Math.max(0, ...drawn.map((lines) => lines.length));
  const empty = ' '.repeat(columns);
  const lines = Array.from({ length: rows }, (_, row) => drawn.map((each) => each[row] ?? empty).join(GAP));
  return [
    ...lines,
    pictures
      .map(({ caption }) => shortened(caption, columns))
      .join(GAP)
      .trimEnd(),
  ];
}

/** A picture as lines of `columns` characters. */
export function halfBlocks(image: PixelImage, columns: number): string[] {
  const scale = Math.min(columns / image.width, (2 * MAX_ROWS) / image.height);
  const width = Math.max(1, Math.round(image.width * scale));
  const rows = Math.max(1, Math.round((image.height * scale) / 2));
  const { data } = resizeImage(image, { width, height: 2 * rows }, 'area');
  const colour = (x: number, y: number): string => data.slice(3 * (y * width + x), 3 * (y * width + x) + 3).join(';');
  return Array.from({ length: rows }, (_, row) => {
    const cells = Array.from(
      { length: width },
      (_, x) => `\x1b[38;2;${colour(x, 2 * row)}m\x1b[48;2;${colour(x, 2 * row + 1)}m\u2580`,
    );
    return `${cells.join('')}\x1b[0m${' '.repeat(columns - width)}`;
  });
}

const shortened = (text: string, width: number): string =>
  (text.length > width ? `${text.slice(0, width - 1)}\u2026` : text).padEnd(width);
