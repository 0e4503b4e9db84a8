/** Images that are already in memory, as a source: for tests, small experiments and makers of images. */

import { createHash } from 'node:crypto';
import { checkArgument, DataError } from '../errors';
import type { ImageContent, ImageSource } from '../images/image-source';

export interface MemoryImage {
  readonly key: string;
  /** Bytes of an image file, or pixels. */
  readonly content: ImageContent;
  /** Position in the classes. */
  readonly label?: number;
}

/**
 * Opens a list of images.
 * @throws DataError empty-source for an empty list, argument when two images have one key, one has no content or a label without a class
 */
export function memorySource(name: string, images: readonly MemoryImage[], classes?: readonly string[]): ImageSource {
  checkArgument('memorySource', 'name', name, 'string');
  checkArgument('memorySource', 'images', images, 'list');
  if (classes !== undefined) checkArgument('memorySource', 'classes', classes, 'strings');
  if (images.length === 0) throw new DataError('empty-source', `${name} has no images`);
  const keys = new Set<string>();
  for (const image of images) {
    checkImage(image, classes);
    const { key } = image;
    if (keys.has(key)) throw new DataError('argument', `${name} has two images with the key ${key}; keys are unique`);
    keys.add(key);
  }
  const at = (index: number): MemoryImage => {
    const image = images[index];
    if (image) return image;
    throw new DataError('argument', `${name} has no image ${index}; it has ${images.length}, counted from 0`);
  };
  return {
    name,
    length: images.length,
    ...(classes && { classes, label: (index: number) => at(index).label }),
    key: (index) => at(index).key,
    version: (index) => contentHash(at(index).content),
    read: async (index) => at(index).content,
  };
}

function checkImage(image: MemoryImage, classes: readonly string[] | undefined): void {
  checkArgument('memorySource', 'an image', image, 'object');
  const { key, content, label } = image;
  checkArgument('memorySource', 'key', key, 'string');
  checkArgument('memorySource', `content of ${key}`, content, 'object');
  if ('encoded' in content) checkArgument('memorySource', `content.encoded of ${key}`, content.encoded, 'Uint8Array');
  else checkArgument('memorySource', `content.pixels of ${key}`, content.pixels, 'object');
  if (label !== undefined && classes && !(Number.isInteger(label) && label >= 0 && label < classes.length))
    throw new DataError(
      'argument',
      `memorySource: label ${label} of ${key} is none of ${classes.length} classes, counted from 0`,
    );
}

function contentHash(content: ImageContent): string {
  if ('encoded' in content) return createHash('sha256').update(content.encoded).digest('hex');
  const { width, height, channels, data } = content.pixels;
  return createHash('sha256').update(`${width} x ${height} x ${channels}`).update(data).digest('hex');
}
