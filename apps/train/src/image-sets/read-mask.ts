/** Masks are PNG files: 8 bits a pixel, gray or palette, whose values are classes. Palette images are read as indices, never as colours. */
import { readFile } from 'node:fs/promises';
import { decode } from 'fast-png';
import { TrainError } from '../errors';
import type { PixelLabels } from './preparation';

const MAX_BYTES = 64 * 2 ** 20;

/** @throws TrainError `data` where the file is no such PNG */
export async function readMask(path: string): Promise<PixelLabels> {
  const bytes = await readFile(path);
  const { width, height } = pngSize(bytes, path);
  if (width * height > MAX_BYTES) throw new TrainError('data', `${path}: ${width} x ${height} pixels are too many`);
  const { data, channels, depth } = decodePng(bytes, path);
  if (channels !== 1 || depth > 8 || data.length !== width * height)
    throw new TrainError(
      'data',
      `${path} has ${channels} channels of ${depth} bits; a mask is an 8-bit gray or palette PNG`,
    );
  return { data: Uint8Array.from(data), height, width };
}

/** Size from the header, before anything of that size is allocated. */
function pngSize(bytes: Buffer, path: string): { width: number; height: number } {
  if (bytes.length < 24 || bytes.readUInt32BE(0) !== 0x89504e47) throw new TrainError('data', `${path} is not a PNG`);
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

function decodePng(bytes: Uint8Array, path: string): ReturnType<typeof decode> {
  try {
    return decode(bytes);
  } catch (error) {
    throw new TrainError('data', `${path} cannot be decoded: ${(error as Error).message}`);
  }
}
