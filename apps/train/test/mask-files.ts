/** Writes mask files of every form for tests, with a PNG writer of its own: what reads them was written by somebody else. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';

export interface PngForm {
  /** 0 gray, 2 RGB, 3 palette, 4 gray with alpha, 6 RGBA. */
  readonly colour: 0 | 2 | 3 | 4 | 6;
  readonly depth: 1 | 2 | 4 | 8 | 16;
}

/** A PNG of `values` [height, width]: indices of a palette, or gray, the same in each colour channel and opaque. */
export function maskPng(values: readonly number[], width: number, { colour, depth }: PngForm, interlaced = 0): Buffer {
  const channels = colour === 2 || colour === 6 ? 3 : 1;
  const alpha = colour >= 4 ? [2 ** depth - 1] : [];
  const rows: number[][] = [];
  for (let y = 0; y < values.length / width; y++) {
    const samples = values
      .slice(y * width, (y + 1) * width)
      .flatMap((value) => [...Array.from({ length: channels }, () => value), ...alpha]);
    const bits = samples.map((value) => value.toString(2).padStart(depth, '0')).join('');
    rows.push([0, ...(bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2))]);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(values.length / width, 4);
  header.set([depth, colour, 0, 0, interlaced], 8);
  // gray levels in falling order: read as colours they would be other values
  const palette = Array.from({ length: 2 ** Math.min(depth, 8) }, (_, i) => [255 - i, 255 - i, 255 - i]).flat();
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    ...(colour === 3 ? [chunk('PLTE', Buffer.from(palette))] : []),
    chunk('IDAT', deflateSync(Buffer.from(rows.flat()))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** Writes a file and the folders that it needs. */
export async function writeAt(path: string, data: Buffer | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, data);
}

/** A JPEG whose pixels are bright where the mask has another value than `dark`. */
export function pictureOf(values: readonly number[], width: number, dark: number): Promise<Buffer> {
  const rgb = Buffer.from(
    values.flatMap((value, i) => Array.from({ length: 3 }, () => (value === dark ? 30 : 190) + (i % 23))),
  );
  return sharp(rgb, { raw: { width, height: values.length / width, channels: 3 } })
    .jpeg()
    .toBuffer();
}
