/**
 * Panoptic annotations of COCO: PNG files whose colours are numbers of segments (red + 256 green + 65536 blue), and a JSON file that says which category
 * each segment of a picture is of.
 *
 * The JSON of train2017 is hundreds of megabytes, so it is read in pieces; numbers of segments and categories are kept for the masks that are wanted. Crowds
 * count as their category.
 */
import { DataError, type FileTree } from '@franca/data';
import { TrainError } from '../errors';
import { shown } from './box-layout';
import type { CocoCategory } from './coco-categories';
import { readJsonArrays } from './json-arrays';
import { decodePng, type StoredMask } from './read-mask';

export interface Panoptic {
  readonly categories: readonly CocoCategory[];
  /** Whether the file tells of the segments of a mask, by its name. */
  has(mask: string): boolean;
  /** Category of each pixel; 0 where there is none. @throws DataError with an image code where mask and JSON do not fit */
  readMask(bytes: Uint8Array, path: string): StoredMask;
}

const [ID_END, CATEGORY_END] = [2 ** 24, 2 ** 16];

/**
 * Reads the segments of those masks that `isWanted`.
 * @throws TrainError `data` where the file is not of its form
 */
export async function readPanoptic(
  tree: FileTree,
  file: string,
  isWanted: (mask: string) => boolean,
): Promise<Panoptic> {
  const where = `${tree.name}/${file}`;
  /** Numbers of segments and their categories by turns. */
  const segments = new Map<string, Uint32Array>();
  const categories: CocoCategory[] = [];
  await readJsonArrays(await tree.open(file), {
    annotations(element, index) {
      const { file_name: name, segments_info: list } = (element ?? {}) as Readonly<Record<string, unknown>>;
      if (typeof name !== 'string' || !Array.isArray(list))
        throw new TrainError(
          'data',
          `${where}: annotation ${index} is ${shown(element)}; expected file_name and segments_info`,
        );
      if (!isWanted(name)) return;
      if (segments.has(name)) throw new TrainError('data', `${where} has two annotations of ${name}`);
      segments.set(name, packSegments(list, `${where}: annotation ${index} (${name})`));
    },
    categories: (element, index) => categories.push(categoryOf(element, `${where}: category ${index}`)),
  });
  return {
    categories,
    has: (mask) => segments.has(mask),
    readMask(bytes, path) {
      const packed = segments.get(path.slice(path.lastIndexOf('/') + 1));
      if (!packed) throw new DataError('corrupt-image', `${path} is not in ${file}`);
      return categoriesOf(bytes, path, { packed, file });
    },
  };
}

/** The categories of any JSON file of COCO. @throws TrainError `data` where the file is not of its form */
export async function readCategories(tree: FileTree, file: string): Promise<CocoCategory[]> {
  const categories: CocoCategory[] = [];
  await readJsonArrays(await tree.open(file), {
    categories: (element, index) => categories.push(categoryOf(element, `${tree.name}/${file}: category ${index}`)),
  });
  return categories;
}

function categoryOf(element: unknown, where: string): CocoCategory {
  const { id, supercategory, isthing } = (element ?? {}) as Readonly<Record<string, unknown>>;
  if (!isNumberBelow(id, CATEGORY_END) || typeof supercategory !== 'string')
    throw new TrainError('data', `${where} is ${shown(element)}; expected id and supercategory`);
  return { id, supercategory, isthing: typeof isthing === 'number' ? isthing : undefined };
}

function packSegments(list: readonly unknown[], where: string): Uint32Array {
  const packed = new Uint32Array(2 * list.length);
  for (const [at, segment] of list.entries()) {
    const { id, category_id: category } = (segment ?? {}) as Readonly<Record<string, unknown>>;
    if (!isNumberBelow(id, ID_END) || !isNumberBelow(category, CATEGORY_END))
      throw new TrainError('data', `${where}: segment ${at} is ${shown(segment)}; expected id and category_id`);
    packed.set([id, category], 2 * at);
  }
  return packed;
}

const isNumberBelow = (value: unknown, end: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < end;

function categoriesOf(
  bytes: Uint8Array,
  path: string,
  { packed, file }: { readonly packed: Uint32Array; readonly file: string },
): StoredMask {
  const { data, width, height, depth, channels, palette } = decodePng(bytes, path);
  if (palette || depth !== 8 || channels < 3 || data.length !== width * height * channels)
    throw new DataError('corrupt-image', `${path} is no picture of 8-bit colours, whose numbers would be segments`);
  const categories = new Map<number, number>([[0, 0]]);
  for (let at = 0; at < packed.length; at += 2) categories.set(packed[at]!, packed[at + 1]!);
  const values = new Uint16Array(width * height);
  let [id, value] = [0, 0];
  for (let i = 0, at = 0; i < values.length; i++, at += channels) {
    const next = data[at]! + 256 * data[at + 1]! + 65_536 * data[at + 2]!;
    if (next !== id) {
      const category = categories.get(next);
      if (category === undefined)
        throw new DataError('corrupt-image', `${path} has segment ${next}, of which ${file} does not tell`);
      [id, value] = [next, category];
    }
    values[i] = value;
  }
  return { data: values, height, width };
}
