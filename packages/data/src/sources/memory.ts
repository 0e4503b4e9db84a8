/** Images that are already in memory, as a source: for tests, small experiments and makers of images. */

import { createHash } from 'node:crypto';
import { DataError } from '../errors';
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
 * @throws DataError empty-source for an empty list, bad-argument when two images have one key
 */
export function memorySource(name: string, images: readonly MemoryImage[], classes?: readonly string[]): ImageSource {
  if (images.length === 0) throw new DataError('empty-source', `${name} has no images`);
  const keys = new Set<string>();
  for (const { key } of images) {
    if (keys.has(key))
      throw new DataError('bad-argument', `${name} has two images with the key ${key}; keys are unique`);
    keys.add(key);
  }
  return {
    name,
    length: images.length,
    ...(classes && { classes, label: (index: number) => images[index]?.label }),
    key: (index) => images[index]!.key,
    version: (index) => contentHash(images[index]!.content),
    read: async (index) => images[index]!.content,
  };
}

function contentHash(content: ImageContent): string {
  if ('encoded' in content) return createHash('sha256').update(content.encoded).digest('hex');
  const { width, height, channels, data } = content.pixels;
  return createHash('sha256').update(`${width} x ${height} x ${channels}`).update(data).digest('hex');
}
