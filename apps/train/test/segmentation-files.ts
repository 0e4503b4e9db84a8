/** Tiny data sets with masks in the real structure of the published ones: their names, forms of masks and values. */

import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { tarOf } from '../../../packages/data/test/archives';
import type { Files } from './file-trees';
import { maskPng, type PngForm, pictureOf, writeAt } from './mask-files';

/** Contents by path. */

export const SIDE = 32;
const GRAY: PngForm = { colour: 0, depth: 8 };
const PALETTE: PngForm = { colour: 3, depth: 8 };

/** Two values side by side, within a border where there is one. */
export const halves = (left: number, right: number, border?: number): number[] =>
  Array.from({ length: SIDE * SIDE }, (_, at) => {
    const [x, y] = [at % SIDE, Math.floor(at / SIDE)];
    if (border !== undefined && (x === 0 || y === 0 || x === SIDE - 1 || y === SIDE - 1)) return border;
    return x < SIDE / 2 ? left : right;
  });

/** A picture that shows its halves, which differ from one to the next. */
const picture = (left: number, right: number) => pictureOf(halves(left, right), SIDE, left);

/** What the i-th picture shows: two of `values`. */
const valuesOf = (values: readonly number[], i: number): [number, number] => [
  values[i % values.length]!,
  values[(i + 1) % values.length]!,
];

interface PartFiles {
  readonly images: string;
  readonly masks: string;
  /** Names of picture and mask of the i-th. */
  readonly names: (i: number) => readonly [picture: string, mask: string];
  readonly count: number;
  readonly values: readonly number[];
  readonly png?: PngForm;
  readonly border?: number;
}

async function part({ images, masks, names, count, values, png = GRAY, border }: PartFiles): Promise<Files> {
  const files: Record<string, Buffer> = {};
  for (let i = 0; i < count; i++) {
    const [left, right] = valuesOf(values, i);
    const [image, mask] = names(i);
    const pixels = halves(left, right, border);
    const jpeg = await picture(left, right);
    files[`${images}/${image}`] = image.endsWith('.png') ? await sharp(jpeg).png().toBuffer() : jpeg;
    files[`${masks}/${mask}`] = maskPng(pixels, SIDE, png);
  }
  return files;
}

const both = (name: string): readonly [string, string] => [`${name}.jpg`, `${name}.png`];
const digits = (n: number, length: number): string => String(n).padStart(length, '0');

const VOC_VALUES = [0, 12, 0, 8, 15];
const listOf = (names: readonly string[]): string => names.map((name) => `${name}\n`).join('');

interface VocShape {
  readonly root: string;
  readonly images: string;
  readonly lists: string;
  /** `SegmentationClassAug` and `trainaug.txt` beside the rest. */
  readonly augmented: boolean;
}

/** 3 pictures for training and 2 more in trainaug, 2 for validation; masks have a void border of 255, those of `Aug` are gray. */
async function voc({ root, images, lists, augmented }: VocShape): Promise<Files> {
  const name = (i: number): string => `2007_${digits(i, 6)}`;
  const common = { images: `${root}/${images}`, values: VOC_VALUES, border: 255 };
  const plain = await part({
    ...common,
    masks: `${root}/SegmentationClass`,
    names: (i) => both(name(i)),
    count: 5,
    png: PALETTE,
  });
  const augmentation = await part({
    ...common,
    masks: `${root}/SegmentationClassAug`,
    names: (i) => both(name(i < 3 ? i : 7 + i)),
    count: 5,
  });
  const [train, val] = [[0, 1, 2].map(name), [3, 4].map(name)];
  return {
    ...plain,
    [`${root}/${lists}/train.txt`]: listOf(train),
    [`${root}/${lists}/val.txt`]: listOf(val),
    ...(augmented && {
      ...augmentation,
      [`${root}/${lists}/trainaug.txt`]: listOf([...train, name(10), name(11)]),
    }),
  };
}

export const devkit = (augmented: boolean): Promise<Files> =>
  voc({ root: 'VOCdevkit/VOC2012', images: 'JPEGImages', lists: 'ImageSets/Segmentation', augmented });

export const hummingbird = (): Promise<Files> =>
  voc({ root: 'VOCSegmentation', images: 'images', lists: 'sets', augmented: true });

export async function ade(): Promise<Files> {
  const parts = [
    { split: 'training', name: 'train', count: 4 },
    { split: 'validation', name: 'val', count: 2 },
  ].map(({ split, name, count }) =>
    part({
      images: `ADEChallengeData2016/images/${split}`,
      masks: `ADEChallengeData2016/annotations/${split}`,
      names: (i) => both(`ADE_${name}_${digits(i + 1, 8)}`),
      count,
      values: [1, 3, 150],
      border: 0,
    }),
  );
  return Object.assign({}, ...(await Promise.all(parts)));
}

const SPLITS = [
  { split: 'train2017', count: 4 },
  { split: 'val2017', count: 2 },
];
const cocoName = (i: number): readonly [string, string] => both(digits(9 + 16 * i, 12));

/** Supercategories of the stuff categories 92 to 182, then "other". */
const STUFF =
  'textile textile plant building building plant furniture-stuff structural rawmaterial floor ceiling ceiling textile textile sky furniture-stuff furniture-stuff textile furniture-stuff ground furniture-stuff structural floor floor floor floor floor plant water food-stuff food-stuff furniture-stuff plant ground ground solid building plant furniture-stuff textile rawmaterial furniture-stuff plant solid ground textile structural rawmaterial ground textile plant rawmaterial ground ground structural ground water ground solid building textile food-stuff ground water furniture-stuff sky building ground solid furniture-stuff solid plant structural furniture-stuff building textile textile plant food-stuff wall wall wall wall wall wall wall water water window window solid other'.split(
    ' ',
  );

export const stuffCategories = (): { id: number; name: string; supercategory: string }[] =>
  STUFF.map((supercategory, at) => ({ id: 92 + at, name: `stuff ${92 + at}`, supercategory }));

/** Things by supercategory, as COCO numbers them. */
const THINGS: readonly (readonly [string, readonly number[]])[] = [
  ['person', [1]],
  ['vehicle', [2, 3, 4, 5, 6, 7, 8, 9]],
  ['outdoor', [10, 11, 13, 14, 15]],
  ['animal', [16, 17, 18, 19, 20, 21, 22, 23, 24, 25]],
  ['accessory', [27, 28, 31, 32, 33]],
  ['sports', [34, 35, 36, 37, 38, 39, 40, 41, 42, 43]],
  ['kitchen', [44, 46, 47, 48, 49, 50, 51]],
  ['food', [52, 53, 54, 55, 56, 57, 58, 59, 60, 61]],
  ['furniture', [62, 63, 64, 65, 67, 70]],
  ['electronic', [72, 73, 74, 75, 76, 77]],
  ['appliance', [78, 79, 80, 81, 82]],
  ['indoor', [84, 85, 86, 87, 88, 89, 90]],
];

export const panopticCategories = (): { id: number; supercategory: string; isthing: number; name: string }[] => [
  ...THINGS.flatMap(([supercategory, ids]) =>
    ids.map((id) => ({ id, supercategory, isthing: 1, name: `thing ${id}` })),
  ),
  { id: 149, supercategory: 'ground', isthing: 0, name: 'road' },
  { id: 187, supercategory: 'sky', isthing: 0, name: 'sky-other-merged' },
];

/** Pixel maps of stuff: sky (106), grass (124), "other" (183) where things are, and 0. */
export async function cocoStuff(): Promise<Files> {
  const folder = 'annotations/stuff_annotations';
  const parts = SPLITS.map(({ split, count }) =>
    part({
      images: `images/${split}`,
      masks: `${folder}/stuff_${split}_pixelmaps`,
      names: cocoName,
      count,
      values: [106, 124, 183],
      png: PALETTE,
      border: 0,
    }),
  );
  const json = JSON.stringify({ info: { year: 2017 }, annotations: [], categories: stuffCategories() });
  return Object.assign({ [`${folder}/stuff_val2017.json`]: json }, ...(await Promise.all(parts)));
}

/** Categories of the two segments of the i-th picture, and their numbers, which take all three colours. */
const THING_VALUES = [1, 18, 149];
const segmentOf = (category: number): number => 70_000 + 259 * category;

export async function cocoThings(): Promise<Files> {
  const files: Record<string, Buffer | string> = {};
  for (const { split, count } of SPLITS) {
    const annotations: object[] = [];
    for (let i = 0; i < count; i++) {
      const [left, right] = valuesOf(THING_VALUES, i);
      const [image, mask] = cocoName(i);
      files[`${split}/${image}`] = await picture(left, right);
      files[`annotations/panoptic_${split}/${mask}`] = await colourPng(halves(segmentOf(left), segmentOf(right), 0));
      const segments = [left, right].map((category) => ({
        id: segmentOf(category),
        category_id: category,
        iscrowd: 0,
      }));
      annotations.push({ image_id: 9 + 16 * i, file_name: mask, segments_info: segments });
    }
    const json = { images: [], annotations, categories: panopticCategories() };
    files[`annotations/panoptic_${split}.json`] = JSON.stringify(json);
  }
  return files;
}

/** The same masks, converted to a category a pixel. */
export async function convertedThings(): Promise<Files> {
  const parts = SPLITS.map(({ split, count }) =>
    part({
      images: `images/${split}`,
      masks: `annotations/${split}`,
      names: cocoName,
      count,
      values: THING_VALUES,
      border: 0,
    }),
  );
  return Object.assign({}, ...(await Promise.all(parts)));
}

/** Numbers as colours: red, and 256 green, and 65536 blue. */
const colourPng = (numbers: readonly number[]): Promise<Buffer> =>
  sharp(Buffer.from(numbers.flatMap((n) => [n % 256, (n >> 8) % 256, n >> 16])), {
    raw: { width: SIDE, height: SIDE, channels: 3 },
  })
    .png()
    .toBuffer();

export async function cityscapes(kind: 'labelIds' | 'labelTrainIds' = 'labelIds'): Promise<Files> {
  const parts = [
    { split: 'train', city: 'aachen', count: 4 },
    { split: 'val', city: 'frankfurt', count: 2 },
  ].map(({ split, city, count }) =>
    part({
      images: `leftImg8bit/${split}/${city}`,
      masks: `gtFine/${split}/${city}`,
      names: (i) => {
        const name = `${city}_${digits(i, 6)}_000019`;
        return [`${name}_leftImg8bit.png`, `${name}_gtFine_${kind}.png`];
      },
      count,
      // road, car and, not scored, the ego vehicle or void
      values: kind === 'labelIds' ? [7, 26, 1] : [0, 13, 255],
      border: kind === 'labelIds' ? 3 : 255,
    }),
  );
  return Object.assign({}, ...(await Promise.all(parts)));
}

export async function pairs(): Promise<Files> {
  const parts = ['train', 'val'].map((split) =>
    part({
      images: `${split}/images`,
      masks: `${split}/masks`,
      names: (i) => both(`p${i}`),
      count: split === 'train' ? 4 : 2,
      values: [0, 1, 2],
    }),
  );
  return Object.assign({ 'classes.json': '["background", "cat", "dog"]' }, ...(await Promise.all(parts)));
}

/** Writes files below a folder, and returns it. */
export async function asFolder(root: string, files: Files): Promise<string> {
  for (const [path, content] of Object.entries(files)) await writeAt(join(root, path), content);
  return root;
}

export async function asTar(path: string, files: Files): Promise<string> {
  await writeAt(path, Buffer.from(await tarOf(files)));
  return path;
}

/** One archive for each folder in `files`, as downloads come. */
export async function asTars(root: string, files: Files): Promise<string> {
  const folders = new Set(Object.keys(files).map(dirname));
  for (const folder of folders) {
    const inside = Object.entries(files).filter(([path]) => dirname(path) === folder);
    await asTar(join(root, `part-${folder.replaceAll('/', '-')}.tar`), Object.fromEntries(inside));
  }
  return root;
}
