/**
 * Decodes an image file to 8-bit RGB, with the pixels that PIL's `convert('RGB')` gives.
 *
 * Alpha is dropped, not blended; gray and palette images become RGB; an embedded colour profile and the EXIF orientation
 * are ignored. The official pipeline trains on exactly these pixels.
 *
 * The bytes are untrusted. The pixel count in the header is checked before anything of that size is allocated, a truncated
 * file is an error rather than a picture with a gray lower half, and every failure is a typed `DataError`.
 */

import type { OptionKinds } from '@franca/tensor';
import sharp from 'sharp';
import { checkArgument, checkCount, checkOptions, DataError } from '../errors';
import type { PixelImage } from './image';
import { imageFormat } from './image-format';
import { checkSource, type ImageSource } from './image-source';

export interface DecodeOptions {
  /** Images with more pixels are refused before they are decoded. Default 64 Mi (192 MiB of RGB). */
  readonly maxPixels?: number;
  /**
   * Images whose shorter side is longer than this are reduced to it while decoding (aspect ratio kept); smaller ones stay as
   * they are. Off by default: the official pipeline crops from the full picture. Crops are then cut
   * from fewer pixels.
   */
  readonly shortSide?: number;
}

const DECODE_OPTIONS: OptionKinds<DecodeOptions> = { maxPixels: 'number', shortSide: 'number' };

const DEFAULT_MAX_PIXELS = 64 * 1024 * 1024;
const TIMEOUT_SECONDS = 60;

/** The libraries that decode, with their versions: others may give other pixels. For caches of what was computed from images. */
export const DECODER: string = `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`;

// Several images decode at once in libuv's thread pool, so one thread per image is the faster split, and nothing is read twice.
const useOneThreadPerImage = (): void => {
  sharp.cache(false);
  sharp.concurrency(1);
};

/**
 * Decodes JPEG, PNG, WebP, GIF (first frame), TIFF or AVIF.
 * @returns RGB pixels, `[height, width, 3]`
 * @throws DataError empty-file, not-an-image, corrupt-image or image-too-large; unreadable-now when decoding takes a minute
 */
export async function decodeImage(encoded: Uint8Array, options: DecodeOptions = {}): Promise<PixelImage> {
  checkArgument('decodeImage', 'encoded', encoded, 'Uint8Array');
  checkDecoding('decodeImage', options);
  if (encoded.length === 0) throw new DataError('empty-file', 'the file has no bytes');
  if (!imageFormat(encoded)) throw new DataError('not-an-image', `not an image: it begins with ${preview(encoded)}`);
  useOneThreadPerImage();
  const maxPixels = options.maxPixels ?? DEFAULT_MAX_PIXELS;
  let pipeline = sharp(encoded, { failOn: 'error', limitInputPixels: maxPixels, ignoreIcc: true })
    .timeout({ seconds: TIMEOUT_SECONDS })
    .removeAlpha()
    .toColourspace('srgb');
  if (options.shortSide) {
    pipeline = pipeline.resize(options.shortSide, options.shortSide, { fit: 'outside', withoutEnlargement: true });
  }
  const began = performance.now();
  try {
    const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`decoded to ${info.channels} channels instead of 3`);
    return {
      width: info.width,
      height: info.height,
      channels: 3,
      data: new Uint8Array(data.buffer, data.byteOffset, data.length),
    };
  } catch (cause) {
    if (performance.now() - began >= 1000 * TIMEOUT_SECONDS)
      throw new DataError('unreadable-now', `not decoded within ${TIMEOUT_SECONDS} seconds`, cause);
    throw decodeError(cause, maxPixels);
  }
}

/**
 * Reads and, where needed, decodes one image of a source.
 * @returns pixels; `data` is `[height, width, 3]`, or with 4 channels where the source itself gives 4
 * @throws DataError with an image code (see `isImageError`)
 */
export async function readImage(
  source: ImageSource,
  index: number,
  options: DecodeOptions = {},
  signal?: AbortSignal,
): Promise<PixelImage> {
  checkSource('readImage', source);
  if (!(Number.isInteger(index) && index >= 0 && index < source.length))
    throw new DataError('bad-argument', `readImage: ${source.name} has images 0 to ${source.length - 1}, not ${index}`);
  const content = await source.read(index, signal);
  return 'pixels' in content ? content.pixels : decodeImage(content.encoded, options);
}

/** @throws DataError bad-argument for options that cannot be met */
export function checkDecoding(what: string, options: DecodeOptions): void {
  checkOptions(what, options, DECODE_OPTIONS);
  for (const [name, value] of Object.entries(options)) if (value !== undefined) checkCount(what, name, value, 1);
}

// Only the pixel limit is sharp's own message. All others pass through one buffer that libvips shares between threads: beside
// another failing image the reason may be missing or that image's, so it is worth showing and not worth telling apart.
function decodeError(cause: unknown, maxPixels: number): DataError {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/pixel limit/i.test(message)) {
    return new DataError('image-too-large', `more than ${maxPixels} pixels; raise maxPixels to accept it`, cause);
  }
  return new DataError('corrupt-image', `truncated or corrupt: ${firstLine(message)}`, cause);
}

// libvips prepends one line per failed seek to what libheif says.
const firstLine = (text: string): string => text.split('\n').find((line) => !line.startsWith('source: ')) ?? text;

const preview = (bytes: Uint8Array): string =>
  JSON.stringify(String.fromCharCode(...bytes.subarray(0, 12)).replace(/[^\x20-\x7e]/g, '.'));
