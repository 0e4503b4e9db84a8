/** Labels of ImageNet-ReaL for the classes of a probe. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { IMAGENET_CLASSES } from '@franca/data';
import { TrainError } from '../errors';
import type { ImageSet } from '../image-sets/image-set';
import { parseJson } from '../image-sets/parse-json';

/**
 * The probe's classes that are accepted for each image of ImageNet's validation part; those that it does not have are accepted, but never predicted.
 * @throws TrainError `data` where an image is none of those that the file has labels of
 */
export async function realLabels(
  path: string,
  { key, length }: Pick<ImageSet, 'key' | 'length'>,
  classes: readonly string[],
): Promise<(readonly number[])[]> {
  const labels = parseJson(path, await readFile(path));
  if (!isLabels(labels)) throw new TrainError('data', `${path} is no list of lists of classes`);
  const places = IMAGENET_CLASSES.map((id) => classes.indexOf(id));
  return Array.from({ length }, (_, index) => {
    const number = Number(/^ILSVRC2012_val_(\d{8})/.exec(basename(key(index)))?.[1]);
    const accepted = labels[number - 1];
    if (!accepted)
      throw new TrainError(
        'data',
        `${key(index)} is no image of ImageNet's validation part, of which ${path} has labels; leave it out by another --sets`,
      );
    return accepted.map((place) => places[place] ?? -1);
  });
}

const isLabels = (value: unknown): value is readonly (readonly number[])[] =>
  Array.isArray(value) && value.every((each) => Array.isArray(each) && each.every(Number.isSafeInteger));
