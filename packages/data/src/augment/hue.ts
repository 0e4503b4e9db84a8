/**
 * Hue rotation in PIL's 8-bit HSV, to the bit.
 *
 * RGB becomes hue, saturation and value of 8 bits each (hue and saturation truncated), hue moves by `trunc(255 * factor)`
 * modulo 256, and HSV becomes RGB again. The round trip itself moves pixels by some levels, so a float HSV is no substitute.
 * Hue depends on the sector, `max - min` and `max - middle` alone, saturation on `max` and `max - min`: both are read from
 * tables of the single-precision results. Sector `2k` is "channel k (R, G, B) is largest and the one after it smallest",
 * sector `2k + 1` "channel k is largest and the one before it smallest".
 */

const SECTORS = 6;

interface HueTables {
  /** Hue of `[sector, max - min, max - middle]`. */
  hue: Uint8Array;
  /** Saturation of `[max, max - min]`. */
  saturation: Uint8Array;
}

let tables: HueTables | undefined;

const float = Math.fround;

/** Hue in `[0, 255]` from how far the other two channels lie below the largest, as shares of `max - min`. */
function hueLevel(sector: number, nearer: number, farther: number): number {
  const [next, previous] = sector % 2 === 0 ? [farther, nearer] : [nearer, farther];
  const turn = float(2 * (sector >> 1) + previous - next);
  return Math.trunc(float((turn / 6 + 1) % 1) * 255);
}

function buildTables(): HueTables {
  const hue = new Uint8Array(SECTORS * 65536);
  const saturation = new Uint8Array(65536);
  for (let range = 1; range < 256; range++) {
    for (let sector = 0; sector < SECTORS; sector++) {
      for (let below = 0; below <= range; below++) {
        hue[(sector << 16) | (range << 8) | below] = hueLevel(sector, float(below / range), 1);
      }
    }
    for (let max = range; max < 256; max++) saturation[(max << 8) | range] = Math.trunc(float(range / max) * 255);
  }
  return { hue, saturation };
}

/** Levels that a hue factor in `[-0.5, 0.5]` (turns) adds, in `[0, 255]`. */
export function hueShift(factor: number): number {
  return Math.trunc(factor * 255) & 255;
}

/** Rotates the hue of RGB `[n, 3]` by `factor` turns, in place. */
export function rotateHue(pixels: Uint8Array, factor: number): void {
  tables ??= buildTables();
  const { hue, saturation } = tables;
  const shift = hueShift(factor);
  for (let i = 0; i < pixels.length; i += 3) {
    const red = pixels[i]!;
    const green = pixels[i + 1]!;
    const blue = pixels[i + 2]!;
    const max = Math.max(red, green, blue);
    const min = Math.min(red, green, blue);
    const range = max - min;
    if (range === 0) continue;
    let sector: number;
    if (red === max) sector = green === min ? 0 : 1;
    else if (green === max) sector = blue === min ? 2 : 3;
    else sector = red === min ? 4 : 5;
    const middle = red + green + blue - max - min;
    const level = (hue[(sector << 16) | (range << 8) | (max - middle)]! + shift) & 255;
    writeHsv(pixels, i, level, saturation[(max << 8) | range]!, max);
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
