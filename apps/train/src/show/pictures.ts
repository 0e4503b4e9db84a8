/** Pictures to be shown, with names for their files: image files, or images of a data set. */
import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { decodeImage, type PixelImage } from '@franca/data';
import type { ImageSet } from '../image-sets/image-set';

export interface Picture {
  readonly name: string;
  readonly image: PixelImage;
}

/** @throws DataError where a file is no image */
export async function readPicture(path: string): Promise<Picture> {
  return { name: basename(path, extname(path)), image: await decodeImage(await readFile(path)) };
}

/** All images of a small set. @throws DataError where one cannot be read */
export async function readPictures(set: ImageSet): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (let index = 0; index < set.length; index++) {
    const name = set
      .key(index)
      .replace(/\.\w{3,4}$/, '')
      .replaceAll(/[^\w.-]+/g, '-');
    pictures.push({ name, image: await set.read(index) });
  }
  return pictures;
}
