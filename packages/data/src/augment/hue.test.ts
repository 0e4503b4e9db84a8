import { describe, expect, it } from 'vitest';
import { rotateHue } from './hue';

/** The conversion as PIL writes it, in the single precision of its C code. */
function throughHsv([red, green, blue]: readonly number[], shift: number): number[] {
  const float = Math.fround;
  const max = Math.max(red!, green!, blue!);
  const range = max - Math.min(red!, green!, blue!);
  if (range === 0) return [max, max, max];
  const below = [red!, green!, blue!].map((value) => float((max - value) / range)) as [number, number, number];
  let sixths = float(4 + below[1] - below[0]);
  if (red === max) sixths = float(below[2] - below[1]);
  else if (green === max) sixths = float(2 + below[0] - below[2]);
  const hue = (Math.trunc(float((sixths / 6 + 1) % 1) * 255) + shift) & 255;
  const saturation = float(Math.trunc(float(range / max) * 255) / 255);
  const position = float((hue * 6) / 255);
  const sector = Math.floor(position);
  const fraction = float(position - sector);
  const p = Math.round(max * (1 - saturation));
  const q = Math.round(max * (1 - float(saturation * fraction)));
  const t = Math.round(max * (1 - saturation * (1 - fraction)));
  return [
    [max, t, p],
    [q, max, p],
    [p, max, t],
    [p, q, max],
    [t, p, max],
    [max, p, q],
  ][sector % 6]!;
}

describe('rotateHue', () => {
  it('follows the C arithmetic for every pixel whose smallest channel is 0, which covers every hue there is', () => {
    const triples: number[] = [];
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) triples.push(a, b, 0, a, 0, b, 0, a, b);
    }
    const pixels = Uint8Array.from(triples);
    rotateHue(pixels, 0);
    const expected = triples.slice();
    for (let i = 0; i < expected.length; i += 3) {
      const [red, green, blue] = throughHsv(triples.slice(i, i + 3), 0) as [number, number, number];
      expected[i] = red;
      expected[i + 1] = green;
      expected[i + 2] = blue;
    }
    expect(Buffer.from(pixels).equals(Buffer.from(expected))).toBe(true);
  });

  it.each([-0.1, 0.07, 0.5])('follows it for mixed colours turned by %d', (factor) => {
    const triples = Uint8Array.from({ length: 3 * 20_000 }, (_, i) => (i * 2654435761) >>> 24);
    const pixels = triples.slice();
    rotateHue(pixels, factor);
    const shift = Math.trunc(255 * factor) & 255;
    for (let i = 0; i < pixels.length; i += 3) {
      const expected = throughHsv([...triples.subarray(i, i + 3)], shift);
      expect(pixels[i] === expected[0] && pixels[i + 1] === expected[1] && pixels[i + 2] === expected[2]).toBe(true);
    }
  });

  it('does not move grey', () => {
    const pixels = Uint8Array.of(0, 0, 0, 77, 77, 77, 255, 255, 255);
    rotateHue(pixels, 0.3);
    expect([...pixels]).toEqual([0, 0, 0, 77, 77, 77, 255, 255, 255]);
  });

  it('turns red into green and blue by thirds', () => {
    const turned = (factor: number): number[] => {
      const pixels = Uint8Array.of(255, 0, 0);
      rotateHue(pixels, factor);
      return [...pixels];
    };
    expect(turned(1 / 3)).toEqual([0, 255, 0]);
    // Hue wraps at 256 although a turn is 255: backwards past red lands one step, 255 / 42.5 = 6 levels, off pure blue.
    expect(turned(-1 / 3)).toEqual([6, 0, 255]);
  });
});
