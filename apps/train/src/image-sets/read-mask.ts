/**
 * Masks are PNG files whose values are classes: gray or palette of 1 to 8 bits, gray of 16 bits, gray stored as RGB.
 *
 * Palette images are read as indices, never as colours; gray ones of less than 8 bits as their own values, never scaled to 255.
 */
import { DataError } from '@franca/data';
import { type DecodedPng, decode } from 'fast-png';
import { TrainError } from '../errors';

/** A mask as its file has it: a value for each pixel, [height, width], of which nobody has yet said what class it is. */
export interface StoredMask {
  readonly data: Uint8Array | Uint16Array;
  readonly height: number;
  readonly width: number;
  /** How the file holds it; absent where there is no file. */
  readonly form?: MaskForm;
  /** Size of the picture that it belongs to, where its header tells. */
  readonly picture?: { readonly height: number; readonly width: number } | undefined;
}

export type MaskForm = 'palette' | 'gray' | '16-bit gray' | 'gray as RGB' | `${number}-bit gray`;

const MAX_PIXELS = 64 * 2 ** 20;

/**
 * @param path of the file that holds `bytes`, for messages
 * @throws DataError with an image code (see `isImageError`) where this one file is damaged
 * @throws TrainError `data` where it is a picture of a kind that holds no classes, as all of its set will be
 */
export function readMask(bytes: Uint8Array, path: string): StoredMask {
  const picture = decodePng(bytes, path);
  const { width, height, depth, channels } = picture;
  const values = depth < 8 ? unpacked(picture) : picture.data;
  if (values.length !== width * height * channels)
    throw new DataError('corrupt-image', `${path} holds ${values.length} of ${width * height * channels} values`);
  const data = channels === 1 ? values : grayOf(values, channels, path);
  return { data: data instanceof Uint16Array ? data : Uint8Array.from(data), height, width, form: formOf(picture) };
}

/** Read before anything of the stated size is allocated. */
function checkHeader(encoded: Uint8Array, path: string): void {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  if (bytes.length === 0) throw new DataError('empty-file', `${path} has no bytes`);
  if (bytes.length < 29 || bytes.readUInt32BE(0) !== 0x89504e47)
    throw new DataError('not-an-image', `${path} is not a PNG`);
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (width * height > MAX_PIXELS)
    throw new DataError('image-too-large', `${path}: ${width} x ${height} pixels are too many`);
  if (bytes[24]! < 8 && bytes[28] !== 0)
    throw new TrainError('data', `${path} is an interlaced PNG of ${bytes[24]} bits; write masks without interlacing`);
}

/** Decodes a PNG of a size that can be. @throws as `readMask` */
export function decodePng(bytes: Uint8Array, path: string): DecodedPng {
  checkHeader(bytes, path);
  try {
    return decode(bytes, { checkCrc: true });
  } catch (error) {
    throw new DataError('corrupt-image', `${path} cannot be decoded: ${(error as Error).message}`, { cause: error });
  }
}

function formOf({ palette, channels, depth }: DecodedPng): MaskForm {
  if (palette) return 'palette';
  if (channels > 2) return 'gray as RGB';
  return depth === 8 ? 'gray' : `${depth}-bit gray`;
}

/** One value a byte; rows of several pixels a byte begin at whole bytes. */
function unpacked({ data, width, height, depth }: DecodedPng): Uint8Array {
  const perByte = 8 / depth;
  const rowBytes = Math.ceil(width / perByte);
  if (data.length !== rowBytes * height) return new Uint8Array();
  const values = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const byte = data[y * rowBytes + Math.floor(x / perByte)]!;
      values[y * width + x] = (byte >> (8 - depth * ((x % perByte) + 1))) & (2 ** depth - 1);
    }
  return values;
}

/** The first of equal channels; a last one of transparency must be opaque everywhere. */
function grayOf(values: DecodedPng['data'], channels: number, path: string): Uint8Array | Uint16Array {
  const colours = channels > 2 ? 3 : 1;
  const opaque = values instanceof Uint16Array ? 0xffff : 0xff;
  const gray =
    values instanceof Uint16Array
      ? new Uint16Array(values.length / channels)
      : new Uint8Array(values.length / channels);
  for (let i = 0; i < gray.length; i++) {
    const at = i * channels;
    gray[i] = values[at]!;
    for (let c = 1; c < colours; c++)
      if (values[at + c] !== values[at])
        throw new TrainError(
          'data',
          `${path} is in colour (${values.slice(at, at + 3).join(', ')}); a mask holds one number a pixel, its class: ` +
            'write the number of each colour as an 8-bit gray PNG, or a palette PNG whose indices are the classes',
        );
    if (channels > colours && values[at + colours] !== opaque)
      throw new TrainError('data', `${path} is partly transparent; a mask holds one number a pixel, its class`);
  }
  return gray;
}
