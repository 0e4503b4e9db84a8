import { expect, test } from 'vitest';
import { colormapColour } from '../drawing/colormap';
import { filledImage } from '../drawing/image';
import { heatOverlay, maskOverlay, segmentationOverlay } from './overlay';

const blue = filledImage(8, 4, [0, 0, 200]);
const pixel = (image: { data: Uint8Array; width: number }, x: number, y: number) => [
  ...image.data.subarray((y * image.width + x) * 3, (y * image.width + x) * 3 + 3),
];

test('heat covers the grey picture by its opacity, low to high', () => {
  const grid = [1, 2] as const;
  const full = heatOverlay(blue, [2, 4], grid, { opacity: 1, resampling: 'nearest' });
  expect(pixel(full, 0, 0)).toEqual([...colormapColour('inferno', 0)]);
  expect(pixel(full, 7, 3)).toEqual([...colormapColour('inferno', 1)]);
  // Luma of blue 200 is 0.114 * 200 = 22.8.
  expect(pixel(heatOverlay(blue, [2, 4], grid, { opacity: 0 }), 0, 0)).toEqual([23, 23, 23]);
});

test('masked patches are covered, the others are left as they are', () => {
  const masked = maskOverlay(blue, [0, 1], [1, 2], { colour: [255, 255, 255], opacity: 0.5 });
  expect(pixel(masked, 3, 0)).toEqual([0, 0, 200]);
  expect(pixel(masked, 4, 0)).toEqual([128, 128, 228]);
});

test('classes take their colours, borders are white, background and ignore stay', () => {
  const labels = [0, 0, 0, 0, 1, 1, 1, 255];
  const drawn = segmentationOverlay(blue, labels, [1, 8], { opacity: 1 });
  expect(pixel(drawn, 1, 1)).toEqual([0, 0, 200]);
  expect(pixel(drawn, 5, 1)).toEqual([128, 0, 0]);
  expect(pixel(drawn, 4, 1)).toEqual([230, 230, 250]);
  expect(pixel(drawn, 7, 1)).toEqual([0, 0, 200]);
});

test('refuses a grid that its values do not fill, and an opacity outside 0..1', () => {
  expect(() => heatOverlay(blue, [1, 2, 3], [2, 2])).toThrow(/needs 4/);
  expect(() => maskOverlay(blue, [1], [1, 1], { opacity: 2 })).toThrow(/opacity is 2/);
});

test('a fourth byte is no colour', () => {
  const four = Uint8Array.from({ length: 8 * 4 * 4 }, (_, i) =>
    i % 4 === 3 ? 77 : blue.data[Math.floor(i / 4) * 3 + (i % 4)]!,
  );
  const wide = { width: 8, height: 4, channels: 4, data: four } as const;
  expect(heatOverlay(wide, [2, 4], [1, 2])).toEqual(heatOverlay(blue, [2, 4], [1, 2]));
  expect(maskOverlay(wide, [0, 1], [1, 2])).toEqual(maskOverlay(blue, [0, 1], [1, 2]));
});
