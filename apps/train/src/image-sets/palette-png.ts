/**
 * Masks as PNGs with a palette, as DAVIS has them: the index is the id of the object, the colours (PASCAL VOC's) are for people to look at.
 *
 * Signature, IHDR, PLTE, one IDAT of rows without filter, IEND. Source: W3C Portable Network Graphics, sections 11 and 12.
 */
import { crc32, deflateSync } from 'node:zlib';
import { vocColour } from '@franca/viz';
import type { FrameMask } from './video-set';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const PALETTE = Buffer.from(Array.from({ length: 256 }, (_, index) => vocColour(index)).flat());

export function palettePng({ size: [rows, columns], ids }: FrameMask): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(columns, 0);
  header.writeUInt32BE(rows, 4);
  // 8 bits, palette
  header.set([8, 3], 8);
  const lines = Buffer.alloc(rows * (columns + 1));
  for (let y = 0; y < rows; y++) lines.set(ids.subarray(y * columns, (y + 1) * columns), y * (columns + 1) + 1);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', PALETTE),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(8 + body.length);
  out.writeUInt32BE(data.length, 0);
  out.set(body, 4);
  out.writeUInt32BE(crc32(body), 4 + body.length);
  return out;
}
