/** Pictures to be shown, with names for their files: image files, or images of a data set. */
import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { decodeImage, type PixelImage } from '@franca/data';
import type { ImageSet } from '../image-sets/image-set';

export interface Picture {
  /** For its files. */
  readonly name: string;
  /** For the row of a figure. */
  readonly label: string;
  readonly image: PixelImage;
}

/** @throws DataError where a file is no image */
export async function readPicture(path: string): Promise<Picture> {
  const name = basename(path, extname(path));
  return { name, label: name, image: await decodeImage(await readFile(path)) };
}

/** All images of a small set, labelled by their class where they have one. @throws DataError where one cannot be read */
export async function readPictures(set: ImageSet): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (let index = 0; index < set.length; index++) {
    const key = set.key(index).replace(/\.\w{3,4}$/, '');
    const name = key.replaceAll(/[^\w.-]+/g, '-');
    pictures.push({ name, label: set.classes[set.label(index)] ?? name, image: await set.read(index) });
  }
  return pictures;
}
