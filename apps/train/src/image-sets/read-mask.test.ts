import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom, isImageError } from '@franca/data';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { maskPng, type PngForm } from '../../test/mask-files';
import { temporaryFolder } from '../../test/tiny-model';
import { readMask } from './read-mask';

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  path = join(folder, 'mask.png');
});
afterAll(() => rm(folder, { recursive: true }));

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

test.each(FORMS)('%s %o: every value is read as it was written, whatever the width', async (form, png) => {
  const random = createRandom({ seed: png.depth, position: 0, stream: 0 });
  for (let width = 1; width <= 17; width++) {
    const values = Array.from({ length: 3 * width }, () => Math.floor(random.uniform() * 2 ** png.depth));
    await writeFile(path, maskPng(values, width, png));
    const mask = await readMask(path);
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
  ])('%s', async (_, bytes) => {
    await writeFile(path, bytes);
    expect(isImageError(await readMask(path).catch((error: unknown) => error))).toBe(true);
  });

  test('a missing file, a folder', async () => {
    for (const name of [join(folder, 'nowhere.png'), folder])
      expect(isImageError(await readMask(name).catch((error: unknown) => error))).toBe(true);
  });
});

describe('a kind of picture that holds no classes ends the work', () => {
  test('colours', async () => {
    const picture = sharp({ create: { width: 4, height: 4, channels: 3, background: { r: 128, g: 0, b: 64 } } });
    await picture.png().toFile(path);
    await expect(readMask(path)).rejects.toThrow(/is in colour \(128, 0, 64\); a mask holds one number a pixel/);
  });
  test('transparency', async () => {
    const png = maskPng([255, 255], 1, { colour: 0, depth: 8 });
    await sharp(png).ensureAlpha(0.5).toColourspace('b-w').png().toFile(path);
    await expect(readMask(path)).rejects.toThrow(/is partly transparent/);
  });
  test('interlaced pixels of less than a byte', async () => {
    await writeFile(path, maskPng([1, 0], 2, { colour: 0, depth: 1 }, 1));
    await expect(readMask(path)).rejects.toThrow(/interlaced PNG of 1 bits/);
  });
});
