/**
 * Hue rotation in PIL's 8-bit HSV, to the bit.
 *
 * RGB becomes hue, saturation and value of 8 bits each (hue and saturation truncated), hue moves by `trunc(255 * factor)`
 * modulo 256, and HSV becomes RGB again. The round trip itself moves pixels by some levels, so a float HSV is no substitute.
 *
 * With `range = max - min`, hue is the fraction `n / (6 range)` of a turn with an integer `n`, so its level is
 * `floor(255 n / (6 range))`, exactly, save for one thing: where that is a whole number, PIL's single precision may come to
 * lie just below it. Whether it does depends on the level alone (checked for all 197,370 cases), so a table of 256 tells.
 */
import { checkArgument } from '../errors';

const float = Math.fround;

/** 1 where PIL's arithmetic puts a hue of exactly `level / 255` turns into the level below. */
export const HUE_FALLS: Uint8Array = /* @__PURE__ */ Uint8Array.from({ length: 256 }, (_, level) => {
  const exact = (6 * level) / 255;
  const sector = Math.floor(exact);
  const rising = sector % 2 === 1;
  // The middle channel's distance below the largest, which PIL divides first, then the position it computes from that.
  const distance = float(rising ? exact - sector : sector + 1 - exact);
  const sixths = float(rising ? (sector === 5 ? -1 : sector) + distance : sector + 1 - distance);
  return Math.trunc(float((sixths / 6 + 1) % 1) * 255) < level ? 1 : 0;
});

/** Levels that a hue factor in `[-0.5, 0.5]` (turns) adds, in `[0, 255]`. */
export function hueShift(factor: number): number {
  return Math.trunc(factor * 255) & 255;
}

/** Rotates the hue of RGB `[n, 3]` by `factor` turns, in place. */
export function rotateHue(pixels: Uint8Array, factor: number): void {
  checkArgument('rotateHue', 'pixels', pixels, 'Uint8Array');
  checkArgument('rotateHue', 'factor', factor, 'number');
  const shift = hueShift(factor);
  for (let i = 0; i < pixels.length; i += 3) {
    const red = pixels[i]!;
    const green = pixels[i + 1]!;
    const blue = pixels[i + 2]!;
    const max = Math.max(red, green, blue);
    const range = max - Math.min(red, green, blue);
    if (range === 0) continue;
    let sixths: number;
    if (red === max) sixths = green - blue;
    else if (green === max) sixths = 2 * range + blue - red;
    else sixths = 4 * range + red - green;
    if (sixths < 0) sixths += 6 * range;
    const exact = (85 * sixths) / (2 * range);
    const level = Math.floor(exact);
    const hue = level === exact ? level - HUE_FALLS[level]! : level;
    writeHsv(pixels, i, (hue + shift) & 255, Math.floor((255 * range) / max), max);
  }
}

/** Writes the RGB of 8-bit hue, saturation and value to `pixels[at .. at + 2]`. */
function writeHsv(pixels: Uint8Array, at: number, hue: number, saturation: number, value: number): void {
  const position = float((hue * 6) / 255);
  const sector = Math.floor(position);
  const fraction = float(position - sector);
  const s = float(saturation / 255);
  const low = Math.floor(value * (1 - s) + 0.5);
  const falling = Math.floor(value * (1 - float(s * fraction)) + 0.5);
  const rising = Math.floor(value * (1 - s * (1 - fraction)) + 0.5);
  let rgb: number;
  switch (sector % 6) {
    case 0:
      rgb = (value << 16) | (rising << 8) | low;
      break;
    case 1:
      rgb = (falling << 16) | (value << 8) | low;
      break;
    case 2:
      rgb = (low << 16) | (value << 8) | rising;
      break;
    case 3:
      rgb = (low << 16) | (falling << 8) | value;
      break;
    case 4:
      rgb = (rising << 16) | (low << 8) | value;
      break;
    default:
      rgb = (value << 16) | (low << 8) | falling;
  }
  pixels[at] = rgb >> 16;
  pixels[at + 1] = (rgb >> 8) & 255;
  pixels[at + 2] = rgb & 255;
}
