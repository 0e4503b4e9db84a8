/**
 * Labels of a flat folder of images from a text file in it or beside it, as validation parts often come.
 *
 * What is read, found by the images that it names rather than by its own name:
 *
 *   val_annotations.txt     `val_0.JPEG  n03444034  0 32 44 62`, behind tabs (Tiny ImageNet)
 *   LOC_val_solution.csv    `ILSVRC2012_val_00000001,n01751748 111 108 389 221` (ImageNet at Kaggle)
 *   val.txt, val_map.txt    `ILSVRC2012_val_00000001.JPEG 65` or `... n01751748`, also as a list or a table of `list-lines.ts`
 *   ILSVRC2012_validation_ground_truth.txt    one ILSVRC id per line, in the order of the images, in ImageNet's devkit
 *   ILSVRC2012_val_00000001.xml    one for each image, with the boxes of its class (`label-boxes.ts`), where there is no such file
 *   ILSVRC2012_val_00000001_n01751748.JPEG    the class in the image's own name, as the hub's archives have it
 *
 * A value is the name of a class. A number is one where classes are numbers; else a file says what numbers mean (`label-meanings.ts`), else
 * they must be the positions in the sorted classes, all of them, from 0. Anything that leaves a label open gives none, and words that
 * say what is missing.
 */

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { ImageSource } from '../images/image-source';
import { byCodeUnit } from './by-code-unit';
import { boxLabels } from './label-boxes';
import { numberMeanings } from './label-meanings';
import { labelPlaces } from './label-places';
import { classLabels, count, type Labels, type Unlabelled } from './labels';
import { isPassedOver } from './passed-over';
import { readSmallText } from './small-text';

/** What files above the images may be called; in their own folder any name will do. */
const LABEL_FILE = /^(val|test|loc_val|ilsvrc2012_val|labels?\b|annotations?\b|ground_?truth|solution)/i;
const GROUND_TRUTH = /ground_?truth.*\.txt$/i;
const MAX_LINE = 8192;

interface LabelFile {
  /** Path, or what else tells the classes, for messages. */
  readonly name: string;
  /** Value of each image. */
  readonly values: readonly (string | undefined)[];
}

/**
 * Labels of the images of `source` by the files of `folder`, of the folders of the images, and of the folder above.
 * @param classes what labels are positions in
 * @returns undefined where no file speaks of the images
 */
export async function labelsBeside(
  source: ImageSource,
  folder: string,
  classes: readonly string[],
): Promise<(Labels & { readonly notes: readonly string[] }) | Unlabelled | undefined> {
  const keys = Array.from({ length: source.length }, (_, index) => source.key(index));
  const inner = [...new Set(keys.map((key) => path.dirname(key)))].slice(0, 20);
  const { own, above } = labelPlaces(folder, inner);
  const places = [...own, ...above];
  const found: LabelFile[] = [];
  for (const place of places)
    for (const name of await textFiles(place, above.includes(place))) {
      const values = await readValues(name, keys, path.basename(folder));
      if (values) found.push({ name, values });
    }
  const files = found.filter(({ name }, at) => found.findIndex((each) => each.name === name) === at);
  const whole = files.filter(({ values }) => values.every((value) => value !== undefined));
  const file = whole[0] ?? files[0] ?? nameLabels(keys) ?? (await boxLabels(folder, keys));
  if (!file) return undefined;
  const missing = file.values.indexOf(undefined);
  if (missing >= 0) {
    const left = file.values.filter((value) => value === undefined).length;
    return why(file.name, `says nothing of ${left} of ${count(keys.length, 'image', 'images')}, e.g. ${keys[missing]}`);
  }
  const meant = await meaning(file, places, classes);
  if ('whyUnlabelled' in meant) return meant;
  const other = whole.slice(1).map(async (each) => ({ each, meant: await meaning(each, places, classes) }));
  for (const { each, meant: another } of await Promise.all(other))
    if ('names' in another && another.names.some((name, at) => name !== meant.names[at]))
      return why(file.name, `and ${each.name} differ about the classes of images; remove the wrong one`);
  const notes = [...(source.notes ?? []), `labels are read from ${file.name}${meant.by}`];
  return { ...classLabels(meant.names, classes), notes };
}

const why = (name: string, what: string): Unlabelled => ({ whyUnlabelled: `${name} ${what}` });

async function textFiles(folder: string, outside: boolean): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => /\.(txt|csv|tsv)$/i.test(name) && !isPassedOver(name) && (!outside || LABEL_FILE.test(name)))
    .sort(byCodeUnit)
    .map((name) => path.join(folder, name));
}

/** The value of each image; undefined where the file speaks of none. */
async function readValues(
  name: string,
  keys: readonly string[],
  part: string,
): Promise<(string | undefined)[] | undefined> {
  const text = await readSmallText(name);
  if (text === undefined) return undefined;
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line.trim());
  if (GROUND_TRUTH.test(name)) return inOrder(lines, keys);
  const values = new Map<string, string>();
  for (const line of lines) {
    const [file, value] = fieldsOf(line);
    if (file && value) values.set(stem(file), value);
  }
  const found = keys.map((key) =>
    endings(key, part)
      .map((each) => values.get(each))
      .find((value) => value !== undefined),
  );
  return found.some((value) => value !== undefined) ? found : undefined;
}

/** A line's image and class: behind a tab or comma the next field, else the last word. Of boxes only the class counts. */
function fieldsOf(line: string): readonly [file: string | undefined, value: string | undefined] {
  if (line.length > MAX_LINE) return [undefined, undefined];
  const separator = ['\t', ',', ';'].find((each) => line.includes(each));
  const plain = (text: string | undefined): string | undefined => text?.trim().replace(/^"(.*)"$/, '$1');
  if (separator) {
    const [file, value] = line.split(separator).map(plain);
    return [file, /^n\d{8}(?=\s+\d)/.exec(value ?? '')?.[0] ?? value];
  }
  const [, file, value] = /^(.*\S)\s+(\S+)$/.exec(line.trim()) ?? [];
  return [plain(file), plain(value)];
}

/** `./val/a.JPEG` and `val/a` are the same image. */
const stem = (file: string): string =>
  file
    .replaceAll('\\', '/')
    .replace(/^(\.\/)+/, '')
    .replace(/\.(jpe?g|png|webp|gif|tiff?|avif)$/i, '');

/** What a file may call the image `images/a.JPEG` of the folder `val`: `val/images/a`, `images/a`, `a`. */
function endings(key: string, part: string): string[] {
  const parts = [part, ...stem(key).split('/')];
  return parts.map((_, at) => parts.slice(at).join('/'));
}

/** One value per line for images `..._00000001` to `..._n`, whatever else their names say. */
function inOrder(lines: readonly string[], keys: readonly string[]): (string | undefined)[] | undefined {
  const numbers = keys.map((key) => Number(/(\d+)$/.exec(stem(key))?.[1]));
  return numbers.every((number) => number >= 1 && number <= lines.length)
    ? numbers.map((number) => lines[number - 1]!.trim())
    : undefined;
}

/** Classes that the images' own names end with. */
function nameLabels(keys: readonly string[]): LabelFile | undefined {
  const values = keys.map((key) => /_(n\d{8})$/.exec(stem(key))?.[1]);
  return values.every((value) => value !== undefined) ? { name: 'the names of the images', values } : undefined;
}

type Meaning = { readonly names: readonly string[]; readonly by: string } | Unlabelled;

/** Names of classes from the values of a file. */
async function meaning(file: LabelFile, places: readonly string[], classes: readonly string[]): Promise<Meaning> {
  const values = file.values.map((value) => value!);
  const known = new Set(classes);
  if (!values.every((value) => /^\d+$/.test(value)) || values.some((value) => known.has(value)))
    return { names: values, by: '' };
  const numbers = values.map(Number);
  const [lowest, highest] = [numbers.reduce((a, b) => Math.min(a, b)), numbers.reduce((a, b) => Math.max(a, b))];
  const ids = GROUND_TRUTH.test(file.name);
  const told = await numberMeanings(places, ids, classes);
  if (told && numbers.every((number) => told.names.has(number)))
    return { names: numbers.map((number) => told.names.get(number)!), by: `, numbers by ${told.name}` };
  if (!ids && lowest === 0 && highest === classes.length - 1)
    return {
      names: numbers.map((number) => classes[number]!),
      by: `; its numbers are taken for positions in the sorted classes`,
    };
  const what = ids ? 'holds ILSVRC ids, which are' : `holds the numbers ${lowest} to ${highest}, which are`;
  const devkit = ids ? 'meta.mat of the devkit, ' : '';
  return why(
    file.name,
    `${what} not known to mean which of ${classes.length} classes; put ${devkit}map_clsloc.txt (lines "n01440764 449") or ` +
      'synsets.txt (a class per line, in the order of the numbers) beside it, or sort the images into class folders',
  );
}
