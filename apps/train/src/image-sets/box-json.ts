/**
 * Pictures of one's own with their boxes: a `boxes.json` beside them,
 *
 *   { "picture.jpg": [[x0, y0, x1, y1], ...], ... }
 *
 * with paths below the folder and half-open boxes in pixels. Or an `annotations.json` with `images`: by name their `split`, `size` and `objects`, each
 * with a `bbox` [x0, y0, x1, y1], of pictures that lie in `<split>/images`.
 */
import type { FileTree } from '@franca/data';
import { TrainError } from '../errors';
import { type BoxedPicture, type BoxLayout, boxOf, type PictureSize, shown, stemOf } from './box-layout';
import { parseJson } from './parse-json';

export const BOXES_FILE = 'boxes.json';
const ANNOTATIONS_FILE = 'annotations.json';

/** The file of boxes of one of these forms, if there is one. */
export const boxesFile = (tree: FileTree): string | undefined =>
  [BOXES_FILE, ANNOTATIONS_FILE].find((file) => tree.has(file));

/** @throws TrainError `data` where the file is not of its form */
export async function readBoxesFile(tree: FileTree, file: string): Promise<BoxLayout> {
  const parsed = parseJson(`${tree.name}/${file}`, await tree.read(file));
  return file === BOXES_FILE ? readOwn(tree, parsed) : readAnnotations(tree, parsed);
}

function readOwn(tree: FileTree, parsed: unknown): BoxLayout {
  const where = `${tree.name}/${BOXES_FILE}`;
  const pictures = Object.entries(recordOf(where, parsed)).map(([key, list]): BoxedPicture => {
    const boxes = listOf(`${where}: "${key}"`, list).map((box, i) => boxOf(box, `${where}: box ${i} of ${key}`));
    return { key, path: tree.has(key) ? key : undefined, boxes };
  });
  return { split: 'all', pictures, unusable: [], notes: [] };
}

function readAnnotations(tree: FileTree, parsed: unknown): BoxLayout {
  const where = `${tree.name}/${ANNOTATIONS_FILE}`;
  const images = recordOf(`${where}: images`, recordOf(where, parsed).images);
  const folders = new Map<string, ReadonlyMap<string, string>>();
  const pictureOf = (split: string, name: string): string | undefined => {
    const folder = `${split}/images`;
    const known = folders.get(folder) ?? new Map(tree.names(folder).map((file) => [stemOf(file), `${folder}/${file}`]));
    folders.set(folder, known);
    return known.get(name);
  };
  const pictures = Object.entries(images).map(([key, value]): BoxedPicture => {
    const { split, size, objects } = recordOf(`${where}: "${key}"`, value);
    if (typeof split !== 'string') throw new TrainError('data', `${where}: "${key}" names no split`);
    const boxes = listOf(`${where}: objects of "${key}"`, objects).map((object, i) =>
      boxOf(recordOf(`${where}: object ${i} of ${key}`, object).bbox, `${where}: bbox ${i} of ${key}`),
    );
    return { key, path: pictureOf(split, key), boxes, ...sizeOf(size) };
  });
  return { split: 'all', pictures, unusable: [], notes: [] };
}

function sizeOf(size: unknown): { readonly size?: PictureSize } {
  if (!Array.isArray(size) || size.length !== 2 || !size.every((side) => Number.isInteger(side) && side > 0)) return {};
  const [width, height] = size as [number, number];
  return { size: { width, height } };
}

function recordOf(where: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw new TrainError('data', `${where} is ${shown(value)}; expected an object with names`);
}

function listOf(where: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TrainError('data', `${where} is ${shown(value)}; expected a list`);
}
