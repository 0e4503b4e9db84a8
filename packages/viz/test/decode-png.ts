import { crc32, inflateSync } from 'node:zlib';
import type { PixelImage } from '../src/drawing/image';

/** An independent reader for the tests: 8-bit RGB or RGBA PNG files, checksums verified; alpha is dropped. */
export function decodePng(file: Uint8Array): PixelImage {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const data: Uint8Array[] = [];
  let [width, height, channels] = [0, 0, 3];
  for (let offset = 8; offset < file.length; ) {
    const length = view.getUint32(offset);
    const type = String.fromCharCode(...file.subarray(offset + 4, offset + 8));
    const body = file.subarray(offset + 8, offset + 8 + length);
    const sum = view.getUint32(offset + 8 + length);
    if (crc32(file.subarray(offset + 4, offset + 8 + length)) !== sum) throw new Error(`wrong checksum of ${type}`);
    if (type === 'IHDR') {
      [width, height, channels] = [view.getUint32(offset + 8), view.getUint32(offset + 12), body[9] === 6 ? 4 : 3];
    }
    if (type === 'IDAT') data.push(body);
    offset += 12 + length;
  }
  const rows = unfilter(inflateSync(Buffer.concat(data)), width * channels, height, channels);
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < rgb.length; i++) rgb[i] = rows[Math.floor(i / 3) * channels + (i % 3)]!;
  return { width, height, channels: 3, data: rgb };
}

/** The pictures embedded in an SVG or HTML text, in order. */
export function embeddedImages(text: string): PixelImage[] {
  return [...text.matchAll(/data:image\/png;base64,([^"]+)"/g)].map((match) =>
    decodePng(Buffer.from(match[1]!, 'base64')),
  );
}

function unfilter(bytes: Uint8Array, stride: number, height: number, step: number): Uint8Array {
  const out = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = bytes[y * (stride + 1)]!;
    for (let i = 0; i < stride; i++) {
      const a = i < step ? 0 : out[y * stride + i - step]!;
      const b = y === 0 ? 0 : out[(y - 1) * stride + i]!;
      const c = i < step || y === 0 ? 0 : out[(y - 1) * stride + i - step]!;
      const p = a + b - c;
      const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
      const paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      const predicted = [0, a, b, (a + b) >> 1, paeth][filter]!;
      out[y * stride + i] = bytes[y * (stride + 1) + 1 + i]! + predicted;
    }
  }
  return out;
}
