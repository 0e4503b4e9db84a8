import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { decodePng } from '../../test/decode-png';
import { rgbImage } from './image';
import { encodePng, pngDataUri } from './png';

/** Flat, ramp and noise rows, so that different row filters win. */
const image = rgbImage(
  17,
  9,
  Uint8Array.from({ length: 17 * 9 * 3 }, (_, i) => {
    const y = Math.floor(i / 51);
    return y < 3 ? 200 : y < 6 ? (i * 5) % 256 : (Math.imul(i, 2654435761) >>> 24) % 256;
  }),
);

test('what it writes, an independent reader reads back exactly', () => {
  const decoded = decodePng(encodePng(image));
  expect([decoded.width, decoded.height]).toEqual([17, 9]);
  expect(decoded.data).toEqual(image.data);
});

test('equal pictures give equal bytes, on every platform', () => {
  const digest = createHash('sha256').update(encodePng(image)).digest('hex');
  expect(digest).toBe('3202f8626c2f37f88bd80ab4d8feb0c8c70101158a750488fa8ce5996df44994');
});

test('a data address holds the same file', () => {
  const [head, base64] = pngDataUri(image).split(',');
  expect(head).toBe('data:image/png;base64');
  expect(Buffer.from(base64!, 'base64')).toEqual(Buffer.from(encodePng(image)));
});

test('refuses a picture whose bytes do not fit its size', () => {
  expect(() => encodePng({ width: 2, height: 2, channels: 3, data: new Uint8Array(3) })).toThrow(/3 values/);
});
