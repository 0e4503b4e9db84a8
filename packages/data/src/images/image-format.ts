/**
 * Recognises an image file by its first bytes.
 *
 * File names lie, and decoders accept far more than photographs (SVG, PDF, archives of slides). Only the formats below reach
 * the decoder, so a file that is something else is named as such instead of being handed to a parser nobody asked for.
 */

import { checkArgument } from '../errors';

export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif';

/** File extensions that the folder, tar and hub sources take for images, without the dot, lower case. */
export const IMAGE_EXTENSIONS: readonly string[] = ['jpg', 'jpeg', 'png', 'webp', 'gif', 'tif', 'tiff', 'avif'];

/** Extensions of pictures that are not read, so that data which holds them can say so. */
export const UNUSED_IMAGE_EXTENSIONS: readonly string[] = [
  ...['bmp', 'dib', 'heic', 'heif', 'jxl', 'jp2', 'j2k', 'jpe', 'jfif', 'pjpeg', 'apng', 'ico', 'svg', 'tga', 'psd'],
  ...['ppm', 'pgm', 'pbm', 'pnm', 'exr', 'hdr', 'raw', 'dng', 'nef', 'cr2', 'cr3', 'arw', 'orf', 'rw2', 'raf'],
];

const ascii = (bytes: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...bytes.subarray(from, Math.min(to, bytes.length)));

/** The format of an encoded image, or undefined for anything that is not one of the supported formats. */
export function imageFormat(bytes: Uint8Array): ImageFormat | undefined {
  checkArgument('imageFormat', 'bytes', bytes, 'Uint8Array');
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'jpeg';
  if (ascii(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'webp';
  if (ascii(bytes, 0, 6) === 'GIF87a' || ascii(bytes, 0, 6) === 'GIF89a') return 'gif';
  if (['II*\0', 'MM\0*'].includes(ascii(bytes, 0, 4))) return 'tiff';
  if (ascii(bytes, 4, 8) === 'ftyp' && /avif|avis/.test(ascii(bytes, 8, 32))) return 'avif';
  return undefined;
}

/** Whether a file name looks like one of the supported image formats. */
export function hasImageExtension(name: string): boolean {
  checkArgument('hasImageExtension', 'name', name, 'string');
  return IMAGE_EXTENSIONS.includes(extensionOf(name));
}

/** Whether a file name looks like a picture of a format that is not supported. */
export const hasUnusedImageExtension = (name: string): boolean => UNUSED_IMAGE_EXTENSIONS.includes(extensionOf(name));

function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
}
