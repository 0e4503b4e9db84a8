import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage } from './decode';

/** A 40 x 30 picture with a different colour in every pixel. */
const pixels = Uint8Array.from({ length: 40 * 30 * 3 }, (_, index) => (index * 97 + (index >> 5) * 31) & 255);
const picture = (): Sharp => sharp(pixels, { raw: { width: 40, height: 30, channels: 3 } });
const rgb = (bytes: Uint8Array): number[] => [...bytes.subarray(0, 3)];
const flat = (background: { r: number; g: number; b: number; alpha?: number }, channels: 3 | 4 = 3): Sharp =>
  sharp({ create: { width: 16, height: 16, channels, background } });

describe('decodeImage', () => {
  it.each(['png', 'webp', 'tiff', 'gif'] as const)(
    'decodes lossless %s to the pixels that were written',
    async (format) => {
      const colours = format === 'gif' ? flat({ r: 255, g: 0, b: 0 }) : picture();
      const encoded = await colours.toFormat(format, { lossless: true, compression: 'none' } as object).toBuffer();
      const image = await decodeImage(encoded);
      expect(image.channels).toBe(3);
      if (format === 'gif') expect(rgb(image.data)).toEqual([255, 0, 0]);
      else expect(image).toEqual({ width: 40, height: 30, channels: 3, data: pixels });
    },
  );

  it.each(['jpeg', 'avif'] as const)('decodes %s', async (format) => {
    const image = await decodeImage(await flat({ r: 200, g: 40, b: 90 }).toFormat(format).toBuffer());
    expect(image).toMatchObject({ width: 16, height: 16, channels: 3 });
    // A flat colour survives either codec to within its colour transform's rounding.
    rgb(image.data).forEach((value, channel) => {
      expect(Math.abs(value - [200, 40, 90][channel]!)).toBeLessThanOrEqual(4);
    });
  });

  it('drops alpha without blending, like PIL convert("RGB")', async () => {
    const encoded = await flat({ r: 200, g: 100, b: 50, alpha: 0.1 }, 4).png().toBuffer();
    expect(rgb((await decodeImage(encoded)).data)).toEqual([200, 100, 50]);
  });

  it('turns gray, 16-bit and CMYK images into 8-bit RGB', async () => {
    const gray = await flat({ r: 80, g: 80, b: 80 }).toColourspace('b-w').png().toBuffer();
    expect(rgb((await decodeImage(gray)).data)).toEqual([80, 80, 80]);
    const deep = await flat({ r: 80, g: 160, b: 240 }).toColourspace('rgb16').png().toBuffer();
    expect(rgb((await decodeImage(deep)).data)).toEqual([80, 160, 240]);
    const cmyk = await flat({ r: 255, g: 255, b: 255 }).toColourspace('cmyk').jpeg().toBuffer();
    expect(await decodeImage(cmyk)).toMatchObject({ channels: 3, data: expect.objectContaining({ length: 768 }) });
  });

  it('ignores the EXIF orientation', async () => {
    const turned = await picture().withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect(await decodeImage(turned)).toMatchObject({ width: 40, height: 30 });
  });

  it('reduces large pictures to a short side, and never enlarges', async () => {
    const encoded = await picture().png().toBuffer();
    expect(await decodeImage(encoded, { shortSide: 15 })).toMatchObject({ width: 20, height: 15 });
    expect(await decodeImage(encoded, { shortSide: 99 })).toMatchObject({ width: 40, height: 30 });
  });

  it('names an empty file', async () => {
    await expect(decodeImage(new Uint8Array())).rejects.toMatchObject({ code: 'empty-file' });
  });

  it.each([
    ['text', 'hello, this is not a picture'],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
    ['PDF', '%PDF-1.7 ...'],
    ['HTML error page', '<!DOCTYPE html><h1>404</h1>'],
  ])('refuses %s without handing it to a decoder', async (_, text) => {
    await expect(decodeImage(new TextEncoder().encode(text))).rejects.toMatchObject({ code: 'not-an-image' });
  });

  it.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)('refuses a truncated %s', async (format) => {
    const encoded = await picture().toFormat(format).toBuffer();
    for (const share of [0.1, 0.5, 0.9]) {
      await expect(decodeImage(encoded.subarray(0, Math.floor(share * encoded.length)))).rejects.toMatchObject({
        code: 'corrupt-image',
      });
    }
  });

  it('gives the same code however many images fail at once', async () => {
    const encoded = await picture().jpeg().toBuffer();
    const cut = [0.2, 0.5, 0.9].map((share) => encoded.subarray(0, Math.floor(share * encoded.length)));
    const many = Array.from({ length: 120 }, (_, at) => decodeImage(cut[at % 3]!).catch((error) => error.code));
    expect(new Set(await Promise.all(many))).toEqual(new Set(['corrupt-image']));
  });

  it('refuses a truncated JPEG that is reduced while decoding', async () => {
    const encoded = await sharp(await picture().png().toBuffer())
      .resize(1600, 1200)
      .jpeg()
      .toBuffer();
    expect(await decodeImage(encoded, { shortSide: 300 })).toMatchObject({ width: 400, height: 300 });
    await expect(
      decodeImage(encoded.subarray(0, Math.floor(0.7 * encoded.length)), { shortSide: 300 }),
    ).rejects.toMatchObject({ code: 'corrupt-image' });
  });

  it('refuses a decompression bomb by its header', async () => {
    const forged = await picture().png().toBuffer();
    forged.writeUInt32BE(60_000, 16); // width and height in the IHDR chunk, then its checksum
    forged.writeUInt32BE(60_000, 20);
    forged.writeUInt32BE(crc32(forged.subarray(12, 29)), 29);
    const before = process.memoryUsage().rss;
    await expect(decodeImage(forged)).rejects.toMatchObject({ code: 'image-too-large' });
    // Decoded it would take 10.8 GB; a refusal by the header takes next to nothing.
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });

  it('refuses more pixels than maxPixels, and takes exactly that many', async () => {
    const encoded = await picture().png().toBuffer();
    await expect(decodeImage(encoded, { maxPixels: 1199 })).rejects.toMatchObject({ code: 'image-too-large' });
    expect(await decodeImage(encoded, { maxPixels: 1200 })).toMatchObject({ width: 40, height: 30 });
  });

  it('survives every kind of damaged header', async () => {
    const encoded = await picture().png().toBuffer();
    for (let at = 8; at < 60; at++) {
      const damaged = Uint8Array.from(encoded);
      damaged[at]! ^= 0xff;
      await decodeImage(damaged).catch((error) => expect(error.code).toMatch(/-image|too-large/));
    }
  });
});
