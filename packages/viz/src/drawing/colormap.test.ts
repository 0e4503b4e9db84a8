import { expect, test } from 'vitest';
import { type ColormapName, colormapColour, colormapTable, colourise, extent, quantile, vocColour } from './colormap';
import { hexColour } from './svg';

const names: ColormapName[] = ['viridis', 'magma', 'inferno', 'plasma', 'cividis'];

/** CIE lightness L* of an sRGB colour. */
function lightness(colour: readonly number[]): number {
  const linear = colour.map((part) =>
    part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
  );
  const y = 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!;
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
}

test.each([
  ['viridis', '#440154', '#fde725'],
  ['magma', '#000004', '#fcfdbf'],
  ['inferno', '#000004', '#fcffa4'],
  ['plasma', '#0d0887', '#f0f921'],
] as const)('%s runs from %s to %s, the ends that matplotlib publishes', (name, low, high) => {
  expect(hexColour(colormapColour(name, 0))).toBe(low);
  expect(hexColour(colormapColour(name, 1))).toBe(high);
});

test.each(names)('%s gets lighter all the way, in even steps', (name) => {
  const table = colormapTable(name);
  const levels = Array.from({ length: 16 }, (_, i) => lightness([...table.subarray(i * 17 * 3, i * 17 * 3 + 3)]));
  const steps = levels.slice(1).map((level, i) => level - levels[i]!);
  // Sixteen equal steps: none reverses and none is more than 2.5 times the mean (plasma is the least even).
  const mean = (levels[15]! - levels[0]!) / 15;
  expect(Math.min(...steps)).toBeGreaterThan(0);
  expect(Math.max(...steps)).toBeLessThan(2.5 * mean);
});

test('values outside the domain take the end colours, values that are no numbers are grey', () => {
  const image = colourise([-1, 0, 10, 99, Number.NaN], [1, 5], [0, 10], 'viridis');
  const pixel = (i: number) => [...image.data.subarray(i * 3, i * 3 + 3)];
  expect(pixel(0)).toEqual(pixel(1));
  expect(pixel(3)).toEqual(pixel(2));
  expect(pixel(4)).toEqual([128, 128, 128]);
});

test('an unknown colour map is refused with the names there are', () => {
  expect(() => colormapTable('jet' as ColormapName)).toThrow(/no colour map 'jet'; choose viridis, magma/);
});

test('class colours are those of the PASCAL VOC development kit', () => {
  expect([0, 1, 8, 12, 15, 20, 255].map(vocColour)).toEqual([
    [0, 0, 0],
    [128, 0, 0],
    [64, 0, 0],
    [64, 0, 128],
    [192, 128, 128],
    [0, 64, 128],
    [224, 224, 192],
  ]);
});

test('extent and quantile pass over values that are not finite', () => {
  const values = [4, Number.NaN, 1, Number.POSITIVE_INFINITY, 3, 2];
  expect(extent(values)).toEqual([1, 4]);
  expect(quantile(values, 0.5)).toBe(2.5);
  expect(quantile([], 0.5)).toBeNaN();
  expect(extent([Number.NaN])).toEqual([0, 1]);
});
