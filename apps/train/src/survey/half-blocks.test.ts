import { filledImage, rgbImage } from '@franca/viz';
import { expect, test } from 'vitest';
import { halfBlocks, showsColour, sideBySide } from './half-blocks';

const BLOCK = '\u2580';
const shown = (line: string): number =>
  line
    .split('\x1b')
    .join('')
    .replaceAll(/\[[\d;]*m/g, '').length;

test('a character is two pixels, one above the other', () => {
  const image = rgbImage(1, 2, Uint8Array.from([255, 0, 0, 0, 0, 255]));
  expect(halfBlocks(image, 1)).toEqual([`\x1b[38;2;255;0;0m\x1b[48;2;0;0;255m${BLOCK}\x1b[0m`]);
});

test('pictures of all shapes take their columns, and captions theirs', () => {
  const image = (width: number, height: number) => filledImage(width, height, [9, 9, 9]);
  const lines = sideBySide(
    [
      { image: image(48, 12), caption: 'wide' },
      { image: image(6, 90), caption: 'tall, with a name that is longer' },
      { image: image(1, 1), caption: 'one pixel' },
    ],
    24,
  );
  expect(lines.slice(0, -1).map(shown)).toEqual(new Array(14).fill(3 * 24 + 4));
  expect(lines.at(-1)).toBe(`${'wide'.padEnd(24)}  tall, with a name that \u2026  one pixel`);
});

test('only a terminal with colours is drawn on', () => {
  const stream = (isTTY: boolean, colours: boolean) =>
    ({ isTTY, hasColors: () => colours }) as Partial<NodeJS.WriteStream> as NodeJS.WriteStream;
  expect([stream(true, true), stream(true, false), stream(false, true)].map(showsColour)).toEqual([true, false, false]);
});
