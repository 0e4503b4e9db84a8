/**
 * Classes from the XML files that say where in an image its object is, one for each image (PASCAL VOC's form, which ImageNet has too).
 *
 * All objects of an image of ImageNet are of its one class; an image whose objects are not has none here. Validation has 50,000 of these
 * files: they are read only where nothing else names the classes.
 */

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { boxPlaces } from './label-places';
import { readSmallText } from './small-text';

const MAX_BYTES = 1024 * 1024;
const AT_ONCE = 64;
const NAME = /<name>([^<]*)<\/name>/;

/**
 * The class of each image, by the name of its file; undefined where no folder of such files is there.
 * @param folder the folder of the images
 */
export async function boxLabels(
  folder: string,
  keys: readonly string[],
): Promise<{ readonly name: string; readonly values: readonly (string | undefined)[] } | undefined> {
  const files = keys.map((key) => `${path.parse(key).name}.xml`);
  for (const place of boxPlaces(folder)) {
    const names = new Set(await readdir(place).catch(() => []));
    if (!files.some((file) => names.has(file))) continue;
    const values: (string | undefined)[] = [];
    for (let from = 0; from < files.length; from += AT_ONCE)
      for (const value of await Promise.all(
        files
          .slice(from, from + AT_ONCE)
          .map((file) => (names.has(file) ? classOf(path.join(place, file)) : undefined)),
      ))
        values.push(value);
    return { name: `the XML files of ${place}`, values };
  }
  return undefined;
}

async function classOf(file: string): Promise<string | undefined> {
  const text = await readSmallText(file, MAX_BYTES);
  const objects = (text ?? '').split('<object>').slice(1);
  const classes = new Set(objects.map((object) => NAME.exec(object)?.[1]?.trim()));
  const [only] = classes;
  return classes.size === 1 ? only : undefined;
}
