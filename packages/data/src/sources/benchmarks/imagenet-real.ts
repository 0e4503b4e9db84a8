/**
 * ImageNet-ReaL (Beyer et al. 2020): for each of ImageNet's 50,000 validation images all classes that people see in it.
 *
 * `real.json` is a list of 50,000 lists of classes, the places in the sorted list of the 1,000; the first is that of
 * `ILSVRC2012_val_00000001`. A prediction counts as right where it is any of them. 3,163 lists are empty: those images are not
 * scored, and 46,837 remain. Images are matched by the number in their names, since files come in other orders.
 */

import { checkArgument, checkCount, DataError } from '../../errors';
import { openLocalFile } from '../../files/byte-file';
import type { ImageSource } from '../../images/image-source';
import { decodeText } from '../list-lines';
import { IMAGENET_CLASSES } from './imagenet-classes';

const IMAGES = 50_000;
const MAX_BYTES = 16 * 2 ** 20;
const MAX_CLASSES = 100;
const NUMBER = /(?:^|\/)ILSVRC2012_val_(\d{8})(?!\d)[^/]*$/i;

export interface RealLabels {
  /** Accepted classes by the number of the image, the first of `ILSVRC2012_val_00000001`; empty where it is not scored. */
  readonly lists: readonly (readonly number[])[];
  /**
   * The accepted classes of each image of a validation part, or of some of its images, in their order: places in `IMAGENET_CLASSES`, whatever classes the
   * part has itself.
   * @throws DataError `spec` where an image's name does not carry its number, or two carry the same
   */
  accepted(images: Pick<ImageSource, 'key' | 'length'>): (readonly number[])[];
}

/**
 * Reads `real.json`, from github.com/google-research/reassessed-imagenet.
 * @throws DataError not-found; damaged-file for what is not such a file
 */
export async function realLabels(file: string): Promise<RealLabels> {
  checkArgument('realLabels', 'file', file, 'string');
  const opened = await openLocalFile(file);
  if (opened.size > MAX_BYTES) throw damaged(file, `${opened.size} bytes are too many`);
  const bytes = await opened.read(0, opened.size);
  let value: unknown;
  try {
    value = JSON.parse(decodeText(bytes, file));
  } catch (cause) {
    throw damaged(file, 'it is no JSON', cause);
  }
  if (!Array.isArray(value)) throw damaged(file, 'it holds no list');
  if (value.length !== IMAGES) throw damaged(file, `it has ${value.length} entries in place of 50,000`);
  const lists = value.map((entry: unknown, at) => {
    if (
      !Array.isArray(entry) ||
      entry.length > MAX_CLASSES ||
      !entry.every(isClass) ||
      new Set(entry).size < entry.length
    )
      throw damaged(file, `entry ${at} is no list of classes from 0 to 999`);
    return entry as number[];
  });
  return { lists, accepted: (images) => acceptedOf(file, lists, images) };
}

const isClass = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < IMAGENET_CLASSES.length;

const damaged = (file: string, why: string, cause?: unknown): DataError =>
  new DataError(
    'damaged-file',
    `${file} does not hold the ReaL labels: ${why}; download real.json from github.com/google-research/reassessed-imagenet`,
    { cause },
  );

function acceptedOf(
  file: string,
  lists: RealLabels['lists'],
  images: Pick<ImageSource, 'key' | 'length'>,
): (readonly number[])[] {
  checkArgument('realLabels: accepted', 'images', images, 'object');
  checkArgument('realLabels: accepted', 'images.key', images.key, 'function');
  checkCount('realLabels: accepted', 'images.length', images.length, 0);
  const seen = new Map<number, string>();
  return Array.from({ length: images.length }, (_, index) => {
    const key = images.key(index);
    const number = Number(NUMBER.exec(key)?.[1] ?? 0);
    const refused = (why: string): DataError =>
      new DataError(
        'spec',
        `${key} ${why}; ${file} has the labels of ILSVRC2012_val_00000001 to ILSVRC2012_val_00050000: give ImageNet's validation ` +
          'images under their own names',
      );
    if (number < 1 || number > IMAGES) throw refused('does not carry the number of a validation image in its name');
    const before = seen.get(number);
    if (before !== undefined) throw refused(`has the number of ${before}`);
    seen.set(number, key);
    return lists[number - 1]!;
  });
}
