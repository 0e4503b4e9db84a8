/**
 * Small copies of ImageNet and the sets around it, in the folders and files of the real ones: all 1,000 (or 200) class folders are
 * there, and few of them hold images.
 */

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { IMAGENET_A_PLACES, IMAGENET_CLASSES, IMAGENET_R_PLACES } from '../src/sources/benchmarks/imagenet-classes';
import { matFile } from './mat-files';
import { writeFiles } from './scratch';

/** One written image: its path below the root, and its class as the place in the sorted list of the 1,000. */
export interface WrittenImage {
  readonly file: string;
  readonly place: number;
}

export interface WriteOptions {
  /** Classes that get images, as places in the sorted list of the 1,000. */
  readonly places?: readonly number[];
  /** Images of each of them. */
  readonly each?: number;
  /** The bytes of an image; default its path as text, which nothing can decode. */
  readonly image?: (file: string, place: number) => string | Uint8Array;
}

/** Classes that ImageNet-A and ImageNet-R have both. */
const A_AND_R = [11, 13, 71];

const wnid = (place: number): string => IMAGENET_CLASSES[place]!;
const val = (number: number): string => `ILSVRC2012_val_${String(number).padStart(8, '0')}`;
const asText = (file: string): string => file;

function putAll(
  root: string,
  images: readonly WrittenImage[],
  image: NonNullable<WriteOptions['image']> = asText,
): readonly WrittenImage[] {
  writeFiles(root, Object.fromEntries(images.map(({ file, place }) => [file, image(file, place)])));
  return images;
}

function classFolders(root: string, places: readonly number[] | undefined, name: (place: number) => string): void {
  for (const place of places ?? IMAGENET_CLASSES.keys()) mkdirSync(path.join(root, name(place)), { recursive: true });
}

/** Image files of some classes, numbered on within a class. */
const inClassFolders = (
  folder: string,
  { places = A_AND_R, each = 2 }: WriteOptions,
  name: (place: number, at: number) => string,
): WrittenImage[] =>
  places.flatMap((place) =>
    Array.from({ length: each }, (_, at) => ({ file: path.posix.join(folder, name(place, at)), place })),
  );

/** Validation images, whose numbers run through the classes in turn; `nested` in class folders, else side by side. */
const valImages = (folder: string, { places = A_AND_R, each = 2 }: WriteOptions, nested: boolean): WrittenImage[] =>
  Array.from({ length: places.length * each }, (_, at) => {
    const place = places[at % places.length]!;
    return { file: `${folder}/${nested ? `${wnid(place)}/` : ''}${val(at + 1)}.JPEG`, place };
  });

export interface WrittenImageNet {
  readonly train: readonly WrittenImage[];
  readonly val: readonly WrittenImage[];
}

/** `{train,val}/<wnid>/*.JPEG` as torchvision lays it; with `flat`, val has no class folders and nothing names its classes. */
export function writeImageNet(root: string, options: WriteOptions & { readonly flat?: boolean } = {}): WrittenImageNet {
  const { image, flat = false } = options;
  classFolders(path.join(root, 'train'), undefined, wnid);
  if (!flat) classFolders(path.join(root, 'val'), undefined, wnid);
  const train = inClassFolders('train', options, (place, at) => `${wnid(place)}/${wnid(place)}_${at + 10}.JPEG`);
  return { train: putAll(root, train, image), val: putAll(root, valImages('val', options, !flat), image) };
}

const CLS_LOC = 'ILSVRC/Data/CLS-LOC';

/** As Kaggle lays it: `val` and `test` are flat, `LOC_*` at the root; val's labels in the csv, or in a file for each image. */
export function writeKaggle(
  root: string,
  options: WriteOptions & { readonly labels?: 'csv' | 'xml' | 'none' } = {},
): WrittenImageNet {
  const { image, labels = 'csv' } = options;
  classFolders(path.join(root, CLS_LOC, 'train'), undefined, wnid);
  const images = {
    train: putAll(
      root,
      inClassFolders(`${CLS_LOC}/train`, options, (place, at) => `${wnid(place)}/${wnid(place)}_${at + 10}.JPEG`),
      image,
    ),
    val: putAll(root, valImages(`${CLS_LOC}/val`, options, false), image),
  };
  const test = `${CLS_LOC}/test/ILSVRC2012_test_00000001.JPEG`;
  putAll(root, [{ file: test, place: 0 }], image);
  writeFiles(root, {
    'LOC_synset_mapping.txt': IMAGENET_CLASSES.map((each, at) => `${each} title ${at}, other\n`).join(''),
  });
  if (labels === 'csv')
    for (const part of ['train', 'val'] as const) {
      const rows = images[part].map(({ file, place }) => `${path.parse(file).name},${wnid(place)} 85 1 499 272 `);
      writeFiles(root, { [`LOC_${part}_solution.csv`]: `ImageId,PredictionString\n${rows.toReversed().join('\n')}\n` });
    }
  if (labels === 'xml')
    for (const { file, place } of images.val)
      writeFiles(root, {
        [`ILSVRC/Annotations/CLS-LOC/val/${path.parse(file).name}.xml`]: boxes(path.parse(file).name, place),
      });
  return images;
}

const boxes = (name: string, place: number): string =>
  `<annotation>\n\t<folder>val</folder>\n\t<filename>${name}</filename>\n\t<size>\n\t\t<width>500</width>\n\t</size>\n` +
  `\t<object>\n\t\t<name>${wnid(place)}</name>\n\t\t<bndbox>\n\t\t\t<xmin>111</xmin>\n\t\t</bndbox>\n\t</object>\n</annotation>\n`;

/**
 * The devkit beside a flat val: the class of each image, by ILSVRC ids, which are in another order than the sorted classes, and the table that says
 * what they mean, with a synset above the classes at its end.
 * @param val what lies in val, the first image first
 */
export function writeDevkit(root: string, val: readonly WrittenImage[]): void {
  const idOf = (place: number): number => 1 + ((place * 7 + 3) % 1_000);
  const folder = 'ILSVRC2012_devkit_t12/data';
  writeFiles(root, {
    [`${folder}/ILSVRC2012_validation_ground_truth.txt`]: val.map(({ place }) => `${idOf(place)}\n`).join(''),
  });
  const classes = IMAGENET_CLASSES.map((wnid, place) => ({ id: idOf(place), wnid })).sort((a, b) => a.id - b.id);
  const records = [...classes, { id: 1_001, wnid: 'n00001740' }].map(({ id, wnid }) => ({
    ILSVRC2012_ID: id,
    WNID: wnid,
    words: `words of ${wnid}`,
    num_children: id > 1_000 ? 2 : 0,
    children: id > 1_000 ? [1, 2] : [],
  }));
  writeFiles(root, { [`${folder}/meta.mat`]: matFile({ synsets: { records } }, { compressed: true }) });
}

export type V2Variant = 'matched-frequency' | 'threshold0.7' | 'top-images';

/** `imagenetv2-<variant>-format-val/{0..999}/*.jpeg`. */
export function writeV2(
  root: string,
  options: WriteOptions & { readonly variant?: V2Variant } = {},
): readonly WrittenImage[] {
  const folder = `imagenetv2-${options.variant ?? 'matched-frequency'}-format-val`;
  classFolders(path.join(root, folder), undefined, String);
  return putAll(
    root,
    inClassFolders(folder, options, (place, at) => `${place}/${String(at).padStart(40, '1638b8f3')}.jpeg`),
    options.image,
  );
}

/** `imagenet-a/<wnid>/*.jpg`, 200 classes. */
export function writeImageNetA(root: string, options: WriteOptions = {}): readonly WrittenImage[] {
  return writeTwoHundred(root, 'imagenet-a', IMAGENET_A_PLACES, options, (at) => `0.00011${at}_fox _ fox_0.8656${at}`);
}

/** `imagenet-r/<wnid>/*.jpg`, 200 other classes. */
export function writeImageNetR(root: string, options: WriteOptions = {}): readonly WrittenImage[] {
  return writeTwoHundred(root, 'imagenet-r', IMAGENET_R_PLACES, options, (at) => `art_${at}`);
}

function writeTwoHundred(
  root: string,
  folder: string,
  all: readonly number[],
  options: WriteOptions,
  name: (at: number) => string,
): readonly WrittenImage[] {
  classFolders(path.join(root, folder), all, wnid);
  writeFiles(root, { [`${folder}/README.txt`]: 'about' });
  return putAll(
    root,
    inClassFolders(folder, options, (place, at) => `${wnid(place)}/${name(at)}.jpg`),
    options.image,
  );
}

/** `sketch/<wnid>/sketch_*.JPEG`. */
export function writeSketch(root: string, options: WriteOptions = {}): readonly WrittenImage[] {
  classFolders(path.join(root, 'sketch'), undefined, wnid);
  return putAll(
    root,
    inClassFolders('sketch', options, (place, at) => `${wnid(place)}/sketch_${at}.JPEG`),
    options.image,
  );
}

/** `real.json`: the accepted classes of val image 1, 2 ... ; images beyond the given ones accept none. */
export function writeReal(file: string, accepted: readonly (readonly number[])[]): void {
  const all = Array.from({ length: 50_000 }, (_, at) => accepted[at] ?? []);
  writeFiles(path.dirname(file), { [path.basename(file)]: JSON.stringify(all) });
}

export type ForeignSet = 'ssb_hard' | 'ninco' | 'inaturalist' | 'textures' | 'openimage_o';

/** The foreign sets of OpenOOD v1.5 by the name of the list: where its images lie, and what they are called. */
const FOREIGN: Readonly<Record<ForeignSet, readonly [folder: string, file: (at: number) => string]>> = {
  ssb_hard: ['images_largescale', (at) => `ssb_hard/n11622368/n11622368_${1000 + at}.JPEG`],
  ninco: ['images_largescale', (at) => `ninco/amphiuma_means/amphiuma_means_${at}_1355.jpeg`],
  inaturalist: ['images_largescale', (at) => `inaturalist/images/98945524784c${at}.jpg`],
  textures: ['images_classic', (at) => `texture/banded/banded_000${at}.jpg`],
  openimage_o: ['images_largescale', (at) => `openimage_o/images/b85bd6c20e9c${at}.jpg`],
};

/**
 * OpenOOD v1.5 as its script downloads it: lists in `data/benchmark_imglist/imagenet`, images in `data/images_*`. The first image of each class
 * is for validation, the others for the test; `without` leaves foreign sets out, with `nested` ImageNet's lie in class folders.
 */
export function writeOpenOod(
  root: string,
  options: WriteOptions & { readonly without?: readonly ForeignSet[]; readonly nested?: boolean } = {},
): { readonly test: readonly WrittenImage[]; readonly validation: readonly WrittenImage[] } {
  const { places = A_AND_R, each = 2, without = [], nested = false, image } = options;
  const listed = valImages('imagenet_1k/val', options, false);
  putAll(path.join(root, 'data/images_largescale'), valImages('imagenet_1k/val', options, nested), image);
  const [validation, test] = [listed.slice(0, places.length), listed.slice(places.length)];
  const list = (name: string, lines: readonly string[]): void =>
    writeFiles(root, { [`data/benchmark_imglist/imagenet/${name}.txt`]: `${lines.join('\n')}\n` });
  list(
    'val_imagenet',
    validation.map(({ file, place }) => `${file} ${place}`),
  );
  list(
    'test_imagenet',
    test.map(({ file, place }) => `${file} ${place}`),
  );
  for (const [name, [folder, file]] of Object.entries(FOREIGN)) {
    if (without.includes(name as ForeignSet)) continue;
    const files = Array.from({ length: each }, (_, at) => file(at));
    putAll(
      path.join(root, 'data', folder),
      files.map((each) => ({ file: each, place: -1 })),
      image,
    );
    list(
      `test_${name}`,
      files.map((each) => `${each} -1`),
    );
  }
  return { test, validation };
}
