/**
 * Boxes of COCO's form: `annotations/instances_train2014.json` with pictures in `train2014` or `images/train2014`, or any other JSON of that form.
 *
 * As in LOST, crowds are left out and boxes `[x, y, width, height]` become corners rounded to whole pixels, halves to even. COCO20k is those pictures of
 * train2014 that `coco_20k_filenames.txt` names, the list that LOST ships, by the number at the end of each name.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { FileTree } from '@franca/data';
import type { Box } from '@franca/evals';
import { TrainError } from '../errors';
import { type BoxedPicture, type BoxLayout, type BoxOptions, boxOf, shown, stemOf } from './box-layout';
import { readJsonArrays } from './json-arrays';
import { some } from './judge-masks';

const COCO20K = 'coco_20k_filenames.txt';
const ITS_ANNOTATIONS = /(^|\/)instances_train2014\.json$/;

/** Files that are annotations of COCO's form by their names: `instances_*.json`, in the data, in `annotations`, or both one folder down. */
export function cocoAnnotations(tree: FileTree): string[] {
  const inside = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);
  const folders = ['', ...tree.names('')].flatMap((folder) => [folder, inside(folder, 'annotations')]);
  const files = folders.flatMap((folder) => tree.names(folder).map((name) => inside(folder, name)));
  return [...new Set(files)].filter((file) => /(^|\/)instances[^/]*\.json$/.test(file)).sort();
}

/**
 * Boxes of one file of annotations. `spec`: the path that the tree was opened at.
 * @throws TrainError `usage` where it is open which file is meant; `data` where it is none
 */
export async function readCoco(tree: FileTree, spec: string, options: BoxOptions): Promise<BoxLayout> {
  const own = await findList(tree, spec, options);
  const file = chooseAnnotations(tree, options, own !== undefined);
  // without being asked for, the list of LOST is meant for train2014 alone
  const list = options.list !== undefined || ITS_ANNOTATIONS.test(file) ? own : undefined;
  const { images, boxes, crowds } = await readInstances(tree, file);
  const { kept, missing } = list ? chooseListed(images, list.names) : { kept: images, missing: [] };
  if (kept.length === 0)
    throw new TrainError(
      'data',
      `${list?.file ?? file} names no picture of ${tree.name}/${file}: ${some(missing) || 'it is empty'}`,
    );
  const part = /(train|val|test)\d{4}/.exec(stemOf(file))?.[0];
  const folders = pictureFolders(file, part);
  const pictures = kept.map(({ id, name, width, height }): BoxedPicture => {
    const path = folders.map((folder) => folder + name).find((each) => tree.has(each));
    const size = width > 0 && height > 0 ? { size: { width, height } } : {};
    return { key: name, path, boxes: boxes.get(id) ?? [], ...size };
  });
  return {
    ...(list?.file.endsWith(COCO20K) && { dataset: 'coco20k' }),
    split: part ?? stemOf(file),
    pictures,
    unusable: missing.map((name) => `${name} (not in ${file})`),
    notes: [
      ...(list ? [`${kept.length} of the ${images.length} pictures of ${file} are meant: those of ${list.file}`] : []),
      ...(crowds > 0 ? [`${crowds} boxes of crowds in ${file} are left out, as in LOST`] : []),
    ],
  };
}

/** Where pictures may lie, beside a file of annotations or beside the folder `annotations` that it is in. */
function pictureFolders(file: string, part: string | undefined): string[] {
  const own = /^(.*\/)?/.exec(file)![0];
  const root = own.replace(/(^|\/)annotations\/$/, '$1');
  const below = part === undefined ? ['images/', ''] : [`images/${part}/`, `${part}/`, 'images/', ''];
  return [...new Set([...below.map((folder) => root + folder), own])];
}

function chooseAnnotations(tree: FileTree, { annotations }: BoxOptions, listed: boolean): string {
  if (annotations !== undefined) {
    if (tree.has(annotations)) return annotations;
    throw new TrainError('usage', `${tree.name} has no ${annotations}; --annotations is a path in the data`);
  }
  const files = cocoAnnotations(tree);
  const train2014 = files.find((file) => ITS_ANNOTATIONS.test(file));
  if (listed && train2014 !== undefined) return train2014;
  if (files.length === 1) return files[0]!;
  throw new TrainError('usage', `${tree.name} has ${files.join(', ')}; say which is meant with --annotations`);
}

interface NameList {
  readonly file: string;
  readonly names: readonly string[];
}

/** The list that was asked for, else LOST's in the data or beside them. */
async function findList(tree: FileTree, spec: string, { list }: BoxOptions): Promise<NameList | undefined> {
  const namesIn = (text: string): string[] =>
    text
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter(Boolean);
  const inside = tree.has(COCO20K) ? COCO20K : undefined;
  if (list === undefined && inside !== undefined)
    return { file: inside, names: namesIn(Buffer.from(await tree.read(inside)).toString()) };
  const beside = join(dirname(resolve(spec)), COCO20K);
  const file = list ?? (existsSync(beside) ? beside : undefined);
  if (file === undefined) return undefined;
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new TrainError('file', `${file} cannot be read (${cause.code}); it names the pictures that are meant`, {
      cause,
    });
  });
  return { file: list ?? COCO20K, names: namesIn(text) };
}

interface CocoImage {
  readonly id: number;
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

async function readInstances(tree: FileTree, file: string) {
  const images: CocoImage[] = [];
  const boxes = new Map<number, Box[]>();
  let crowds = 0;
  const fail = (what: string, index: number, value: unknown): never => {
    throw new TrainError('data', `${tree.name}/${file}: ${what} ${index} is ${shown(value)}; expected COCO's form`);
  };
  await readJsonArrays(await tree.open(file), {
    images(element, index) {
      const { id, file_name: name, width, height } = (element ?? {}) as Readonly<Record<string, unknown>>;
      if (typeof id !== 'number' || typeof name !== 'string') return fail('image', index, element);
      images.push({ id, name, width: Number(width) || 0, height: Number(height) || 0 });
    },
    annotations(element, index) {
      const { image_id: image, bbox, iscrowd } = (element ?? {}) as Readonly<Record<string, unknown>>;
      if (typeof image !== 'number') return fail('annotation', index, element);
      const [x, y, width, height] = boxOf(bbox, `${tree.name}/${file}: bbox of annotation ${index}`);
      if (iscrowd === 1) crowds++;
      else {
        const corners = [x, y, x + width, y + height].map(roundHalfEven) as [number, number, number, number];
        boxes.set(image, [...(boxes.get(image) ?? []), corners]);
      }
    },
  });
  return { images, boxes, crowds };
}

/** The images that a list names, by name, or by the number at the end of a name, each once and in the order of the list. */
function chooseListed(images: readonly CocoImage[], names: readonly string[]) {
  const byName = new Map(images.map((image) => [stemOf(image.name), image]));
  const byNumber = new Map(images.map((image) => [image.id, image]));
  const kept = new Set<CocoImage>();
  const missing: string[] = [];
  for (const name of names) {
    const number = /(\d+)$/.exec(stemOf(name))?.[1];
    const image = byName.get(stemOf(name)) ?? (number === undefined ? undefined : byNumber.get(Number(number)));
    if (image) kept.add(image);
    else missing.push(name);
  }
  return { kept: [...kept], missing };
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
