/**
 * A PNG encoder for 8-bit RGB: signature, IHDR, one IDAT, IEND. Each row is filtered by the filter with the smallest
 * sum of absolute residuals, then deflated by fflate: pure JavaScript, so that the same picture gives the same bytes on
 * every platform and in the browser. Source: W3C Portable Network Graphics, sections 9 and 12.
 */
import { zlibSync } from 'fflate';
import { type PixelImage, toRgb } from './image';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const BYTES_PER_PIXEL = 3;

/** The picture as a PNG file in RGB; throws `shape` when its bytes do not fit its size. */
export function encodePng(picture: PixelImage): Uint8Array {
  const image = toRgb(picture);
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, image.width);
  view.setUint32(4, image.height);
  header.set([8, 2, 0, 0, 0], 8);
  const pixels = zlibSync(filterRows(image), { level: 6 });
  return concat([
    Uint8Array.from(SIGNATURE),
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', new Uint8Array(0)),
  ]);
}

/** The picture as a `data:` address, for `<img>` and SVG `<image>`. */
export function pngDataUri(image: PixelImage): string {
  return bytesDataUri(encodePng(image));
}

/** A PNG file's bytes as a `data:` address. */
export function bytesDataUri(png: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < png.length; i += 8192) binary += String.fromCharCode(...png.subarray(i, i + 8192));
  return `data:image/png;base64,${btoa(binary)}`;
}

function filterRows(image: PixelImage): Uint8Array {
  const stride = image.width * BYTES_PER_PIXEL;
  const out = new Uint8Array(image.height * (stride + 1));
  let previous: Uint8Array = new Uint8Array(stride);
  for (let y = 0; y < image.height; y++) {
    const row = image.data.subarray(y * stride, (y + 1) * stride);
    const filtered = bestFilter(row, previous);
    out.set(filtered, y * (stride + 1));
    previous = row;
  }
  return out;
}

function bestFilter(row: Uint8Array, above: Uint8Array): Uint8Array {
  let best = new Uint8Array(0);
  let bestCost = Number.POSITIVE_INFINITY;
  for (let type = 0; type < 5; type++) {
    const candidate = new Uint8Array(row.length + 1);
    candidate[0] = type;
    let cost = 0;
    for (let i = 0; i < row.length; i++) {
      const residual = (row[i]! - predict(type, row, above, i)) & 255;
      candidate[i + 1] = residual;
      cost += residual < 128 ? residual : 256 - residual;
    }
    if (cost < bestCost) {
      best = candidate;
      bestCost = cost;
    }
  }
  return best;
}

function predict(type: number, row: Uint8Array, above: Uint8Array, i: number): number {
  const left = i < BYTES_PER_PIXEL ? 0 : row[i - BYTES_PER_PIXEL]!;
  const up = above[i]!;
  if (type === 0) return 0;
  if (type === 1) return left;
  if (type === 2) return up;
  if (type === 3) return (left + up) >> 1;
  return paeth(left, up, i < BYTES_PER_PIXEL ? 0 : above[i - BYTES_PER_PIXEL]!);
}

function paeth(left: number, up: number, upLeft: number): number {
  const estimate = left + up - upLeft;
  const toLeft = Math.abs(estimate - left);
  const toUp = Math.abs(estimate - up);
  const toUpLeft = Math.abs(estimate - upLeft);
  if (toLeft <= toUp && toLeft <= toUpLeft) return left;
  return toUp <= toUpLeft ? up : upLeft;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
  return out;
}

const CRC_TABLE = /* @__PURE__ */ Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = CRC_TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}
