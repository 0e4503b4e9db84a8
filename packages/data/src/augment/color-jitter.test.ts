import { describe, expect, it } from 'vitest';
import { adjustBrightness, adjustContrast, adjustSaturation, colorJitter } from './color-jitter';

const PIXELS = Uint8Array.of(250, 10, 40, 3, 200, 199, 128, 128, 128, 0, 0, 255);

function changed(change: (pixels: Uint8Array) => void, from: Uint8Array = PIXELS): Uint8Array {
  const pixels = from.slice();
  change(pixels);
  return pixels;
}

describe('factor 1', () => {
  it.each([adjustBrightness, adjustContrast, adjustSaturation])('leaves the pixels alone: %o', (adjust) => {
    expect(changed((pixels) => adjust(pixels, 1))).toEqual(PIXELS);
  });
});

describe('factor 0', () => {
  it('of brightness is black', () => {
    expect(changed((pixels) => adjustBrightness(pixels, 0)).every((value) => value === 0)).toBe(true);
  });

  it('of contrast is the mean luma everywhere', () => {
    // Lumas by hand: 85, 141, 128, 29; their mean is 95.75.
    expect(changed((pixels) => adjustContrast(pixels, 0)).every((value) => value === 96)).toBe(true);
  });

  it('of saturation is each pixel at its luma', () => {
    expect([...changed((pixels) => adjustSaturation(pixels, 0))]).toEqual([
      85, 85, 85, 141, 141, 141, 128, 128, 128, 29, 29, 29,
    ]);
  });
});

it('truncates, as PIL does, instead of rounding', () => {
  expect([...changed((pixels) => adjustBrightness(pixels, 0.999), Uint8Array.of(100, 100, 100))]).toEqual([99, 99, 99]);
});

it('clamps at white', () => {
  expect(changed((pixels) => adjustBrightness(pixels, 1.4))[0]).toBe(255);
});

it('follows its order: each step works on the result of the one before', () => {
  const jitter = { brightness: 1.4, contrast: 0.6, saturation: 0.8, hue: 0.1 };
  const first = changed((pixels) => colorJitter(pixels, { ...jitter, order: ['brightness', 'contrast'] }));
  const second = changed((pixels) => colorJitter(pixels, { ...jitter, order: ['contrast', 'brightness'] }));
  expect(first).toEqual(
    changed((pixels) => {
      adjustBrightness(pixels, 1.4);
      adjustContrast(pixels, 0.6);
    }),
  );
  expect(first).not.toEqual(second);
});
