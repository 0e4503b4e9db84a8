/** Image files of a folder as a source without classes, each opened when it is read. */

import path from 'node:path';
import { readImageFile } from '../files/byte-file';
import { fileVersion } from '../files/file-version';
import type { ImageSource } from '../images/image-source';

/** @param files paths below `folder`, with `/` between parts, which are the keys */
export function imageFiles(name: string, folder: string, files: readonly string[]): ImageSource {
  const pathOf = (index: number): string => path.join(folder, files[index]!);
  return {
    name,
    folder,
    length: files.length,
    key: (index) => files[index]!,
    version: (index) => fileVersion(pathOf(index)),
    read: async (index) => ({ encoded: await readImageFile(pathOf(index)) }),
  };
}
