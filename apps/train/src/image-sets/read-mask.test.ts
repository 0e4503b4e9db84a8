import { createRandom, isImageError } from '@franca/data';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { maskPng, type PngForm } from '../../test/mask-files';
import { readMask } from './read-mask';

const read = (bytes: Uint8Array) => readMask(bytes, 'mask.png');

const FORMS: readonly (readonly [string, PngForm])[] = [
  ['1-bit gray', { colour: 0, depth: 1 }],
  ['2-bit gray', { colour: 0, depth: 2 }],
  ['4-bit gray', { colour: 0, depth: 4 }],
  ['gray', { colour: 0, depth: 8 }],
  ['16-bit gray', { colour: 0, depth: 16 }],
  ['palette', { colour: 3, depth: 1 }],
  ['palette', { colour: 3, depth: 2 }],
  ['palette', { colour: 3, depth: 4 }],
  ['palette', { colour: 3, depth: 8 }],
  ['gray as RGB', { colour: 2, depth: 8 }],
  ['gray as RGB', { colour: 2, depth: 16 }],
  ['gray as RGB', { colour: 6, depth: 8 }],
  ['gray', { colour: 4, depth: 8 }],
];

test.each(FORMS)('%s %o: every value is read as it was written, whatever the width', (form, png) => {
  const random = createRandom({ seed: png.depth, position: 0, stream: 0 });
  for (let width = 1; width <= 17; width++) {
    const values = Array.from({ length: 3 * width }, () => Math.floor(random.uniform() * 2 ** png.depth));
    const mask = read(maskPng(values, width, png));
    expect([mask.form, mask.width, mask.height, [...mask.data]]).toEqual([form, width, 3, values]);
  }
});

describe('one damaged file is an image error', () => {
  const whole = maskPng(
    Array.from({ length: 64 }, (_, i) => i),
    8,
    { colour: 0, depth: 8 },
  );
  test.each([
    ['no bytes', Buffer.alloc(0)],
    ['text', Buffer.from('not a picture, but longer than a header is')],
    ['half of it', whole.subarray(0, whole.length / 2)],
    ['a flipped bit', whole.map((byte, at) => (at === 50 ? byte ^ 8 : byte))],
    [
      'a forged size',
      Buffer.concat([whole.subarray(0, 16), Buffer.from('7fffffff7fffffff', 'hex'), whole.subarray(24)]),
    ],
  ])('%s', (_, bytes) => {
    let thrown: unknown;
    try {
      read(bytes);
    } catch (error) {
      thrown = error;
    }
    expect(isImageError(thrown)).toBe(true);
  });
});

describe('a kind of picture that holds no classes ends the work', () => {
  test('colours', async () => {
    const picture = sharp({ create: { width: 4, height: 4, channels: 3, background: { r: 128, g: 0, b: 64 } } });
    const bytes = await picture.png().toBuffer();
    expect(() => read(bytes)).toThrow(/is in colour \(128, 0, 64\); a mask holds one number a pixel/);
  });
  test('transparency', async () => {
    const png = maskPng([255, 255], 1, { colour: 0, depth: 8 });
    const bytes = await sharp(png).ensureAlpha(0.5).toColourspace('b-w').png().toBuffer();
    expect(() => read(bytes)).toThrow(/is partly transparent/);
  });
  test('interlaced pixels of less than a byte', () => {
    const bytes = maskPng([1, 0], 2, { colour: 0, depth: 1 }, 1);
    expect(() => read(bytes)).toThrow(/interlaced PNG of 1 bits/);
  });
});
