/** Published data sets in the files of their authors, with few and tiny images: one function per set writes its tree into a folder. */

import { matFile } from './mat-files';
import { writeFiles } from './scratch';

type Files = Record<string, string | Uint8Array>;
type Part = 'train' | 'val' | 'test';

/** How many images of each class stand in a part. */
export interface FewImages {
  readonly classes?: readonly string[];
  readonly train?: number;
  readonly val?: number;
  readonly test?: number;
  /** The bytes of an image; default text that no decoder takes. `path` is that of the file. */
  readonly image?: (path: string, label: number) => string | Uint8Array;
}

/** An image of a part: its class, its number in class and part from 0, and its number among all images of all parts from 1. */
interface Listed {
  readonly part: Part;
  readonly label: number;
  readonly at: number;
  readonly id: number;
}

const NO_IMAGE = (path: string): string => `image ${path}`;
const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');
const padded = (id: number, digits: number): string => String(id).padStart(digits, '0');

/** The images of all parts, class by class. */
function listed(classes: number, parts: { readonly [Name in Part]?: number }): Listed[] {
  const all = (['train', 'val', 'test'] as const).flatMap((part) => {
    const count = parts[part] ?? 0;
    return Array.from({ length: classes * count }, (_, i) => ({ part, label: Math.floor(i / count), at: i % count }));
  });
  return all.map((each, i) => ({ ...each, id: i + 1 }));
}

/** Writes lists and devkits, and an image at the path of each listed one. */
function writeSet(
  root: string,
  { image = NO_IMAGE }: FewImages,
  images: readonly Listed[],
  pathOf: (each: Listed) => string,
  files: Files,
): void {
  writeFiles(root, files);
  writeFiles(root, Object.fromEntries(images.map((each) => [pathOf(each), image(pathOf(each), each.label)])));
}

/** Food-101: `images/`, `meta/`. */
export function writeFood101(root: string, options: FewImages = {}): void {
  const { classes = ['apple_pie', 'baby_back_ribs', 'waffles'], train = 3, test = 1 } = options;
  const images = listed(classes.length, { train, test });
  const nameOf = ({ part, label, at }: Listed): string => `${classes[label]}/${(part === 'train' ? 1000 : 9000) + at}`;
  const listOf = (part: Part): string => lines(images.filter((each) => each.part === part).map(nameOf));
  writeSet(root, options, images, (each) => `images/${nameOf(each)}.jpg`, {
    'meta/classes.txt': lines(classes),
    'meta/labels.txt': lines(classes.map((name) => name[0]!.toUpperCase() + name.slice(1).replaceAll('_', ' '))),
    'meta/train.txt': listOf('train'),
    'meta/test.txt': listOf('test'),
  });
}

/** Images are pixels there: the three planes of one, each of 1,024 bytes. */
export interface FewPixels extends Omit<FewImages, 'val' | 'image'> {
  readonly pixels?: (label: number, id: number) => Uint8Array;
}

const FLAT = (label: number, id: number): Uint8Array =>
  Uint8Array.from({ length: 3072 }, (_, at) => [20 * label, id, 128][Math.floor(at / 1024)]! & 255);

/** CIFAR-10, as `cifar-10-binary.tar.gz` unpacks: all training images in the first batch. */
export function writeCifar10(root: string, options: FewPixels = {}): void {
  const { classes = ['airplane', 'automobile', 'bird'], train = 3, test = 1, pixels = FLAT } = options;
  const recordsOf = recordsIn(listed(classes.length, { train, test }), ({ label, id }) => [
    label,
    ...pixels(label, id),
  ]);
  writeFiles(root, {
    'batches.meta.txt': lines(classes),
    'data_batch_1.bin': recordsOf('train'),
    ...Object.fromEntries([2, 3, 4, 5].map((batch) => [`data_batch_${batch}.bin`, ''])),
    'test_batch.bin': recordsOf('test'),
  });
}

/** CIFAR-100, as `cifar-100-binary.tar.gz` unpacks. */
export function writeCifar100(root: string, options: FewPixels = {}): void {
  const { classes = ['apple', 'aquarium_fish', 'baby'], train = 3, test = 1, pixels = FLAT } = options;
  const recordsOf = recordsIn(listed(classes.length, { train, test }), ({ label, id }) => [
    0,
    label,
    ...pixels(label, id),
  ]);
  writeFiles(root, {
    'fine_label_names.txt': lines(classes),
    'coarse_label_names.txt': 'all\n',
    'train.bin': recordsOf('train'),
    'test.bin': recordsOf('test'),
  });
}

const recordsIn = (images: readonly Listed[], recordOf: (each: Listed) => readonly number[]) => (part: Part) =>
  Uint8Array.from(images.filter((each) => each.part === part).flatMap(recordOf));

/** SUN397: class folders of two and three levels; the lists in `lists`, a folder relative to `root`. */
export function writeSun397(root: string, options: FewImages & { readonly lists?: string } = {}): void {
  const { classes = ['a/abbey', 'a/apartment_building/outdoor', 'b/bakery/shop'], train = 3, test = 2 } = options;
  const images = listed(classes.length, { train, test });
  const pathOf = ({ label, id }: Listed): string => `${classes[label]}/sun_${padded(id, 6)}.jpg`;
  const listOf = (part: Part): string =>
    lines(images.filter((each) => each.part === part).map((each) => `/${pathOf(each)}`));
  const lists = options.lists === undefined ? '' : `${options.lists}/`;
  writeSet(root, options, images, pathOf, {
    [`${lists}ClassName.txt`]: lines(classes.map((name) => `/${name}`)),
    [`${lists}Training_01.txt`]: listOf('train'),
    [`${lists}Testing_01.txt`]: listOf('test'),
  });
}

/** Stanford Cars: `cars_train/`, `cars_test/`, `devkit/`, and the labels of the test images beside. */
export function writeStanfordCars(root: string, options: FewImages = {}): void {
  const { classes = ['AM General Hummer SUV 2000', 'Ram C/V Cargo Van Minivan 2012'], train = 3, test = 2 } = options;
  const images = listed(classes.length, { train, test });
  const recordsOf = (part: Part, labelled: boolean) => ({
    annotations: {
      records: images
        .filter((each) => each.part === part)
        .map(({ label, id }) => ({
          ...{ bbox_x1: 39, bbox_y1: 116, bbox_x2: 569, bbox_y2: 375 },
          ...(labelled && { class: label + 1 }),
          fname: `${padded(id, 5)}.jpg`,
        })),
    },
  });
  const compressed = { compressed: true };
  writeSet(root, options, images, ({ part, id }) => `cars_${part}/${padded(id, 5)}.jpg`, {
    'devkit/cars_meta.mat': matFile({ class_names: { cells: classes } }, compressed),
    'devkit/cars_train_annos.mat': matFile(recordsOf('train', true), compressed),
    'devkit/cars_test_annos.mat': matFile(recordsOf('test', false), compressed),
    'cars_test_annos_withlabels.mat': matFile(recordsOf('test', true), compressed),
  });
}

/** FGVC-Aircraft: `data/` below `root`. */
export function writeFgvcAircraft(root: string, options: FewImages = {}): void {
  const { classes = ['707-320', 'F/A-18', 'Cessna 172'], train = 2, val = 1, test = 2 } = options;
  const images = listed(classes.length, { train, val, test });
  const listOf = (part: Part): string =>
    lines(images.filter((each) => each.part === part).map(({ label, id }) => `${padded(id, 7)} ${classes[label]}`));
  writeSet(root, options, images, ({ id }) => `data/images/${padded(id, 7)}.jpg`, {
    'data/variants.txt': lines(classes),
    'data/images_variant_train.txt': listOf('train'),
    'data/images_variant_val.txt': listOf('val'),
    'data/images_variant_test.txt': listOf('test'),
  });
}

/** Describable Textures: `images/`, `labels/`. */
export function writeDtd(root: string, options: FewImages = {}): void {
  const { classes = ['banded', 'blotchy', 'zigzagged'], train = 2, val = 1, test = 2 } = options;
  const images = listed(classes.length, { train, val, test });
  const nameOf = ({ label, id }: Listed): string => `${classes[label]}/${classes[label]}_${padded(id, 4)}.jpg`;
  const listOf = (part: Part): string => lines(images.filter((each) => each.part === part).map(nameOf));
  writeSet(root, options, images, (each) => `images/${nameOf(each)}`, {
    'labels/train1.txt': listOf('train'),
    'labels/val1.txt': listOf('val'),
    'labels/test1.txt': listOf('test'),
  });
}

/** Oxford-IIIT Pets: `images/`, `annotations/`; cats begin with a capital. */
export function writeOxfordPets(root: string, options: FewImages = {}): void {
  const { classes = ['Abyssinian', 'american_bulldog', 'Bengal'], train = 2, test = 2 } = options;
  const images = listed(classes.length, { train, test });
  const nameOf = ({ label, id }: Listed): string => `${classes[label]}_${id}`;
  const listOf = (part: Part): string =>
    lines(
      images
        .filter((each) => each.part === part)
        .map((each) => `${nameOf(each)} ${each.label + 1} ${/^[A-Z]/.test(classes[each.label]!) ? 1 : 2} 1`),
    );
  writeSet(root, options, images, (each) => `images/${nameOf(each)}.jpg`, {
    'annotations/trainval.txt': listOf('train'),
    'annotations/test.txt': listOf('test'),
  });
}

/** Caltech-101: `101_ObjectCategories/` below `root`; of each class 30 images are for training, and `test` more. */
export function writeCaltech101(root: string, options: Omit<FewImages, 'train' | 'val'> = {}): void {
  const { classes = ['BACKGROUND_Google', 'Faces_easy', 'accordion', 'car_side'], test = 2 } = options;
  const images = listed(classes.length, { train: 30 + test });
  const pathOf = ({ label, id }: Listed): string => `101_ObjectCategories/${classes[label]}/image_${padded(id, 4)}.jpg`;
  writeSet(root, options, images, pathOf, { '101_ObjectCategories/BACKGROUND_Google/tmp': 'a picture' });
}

/** Oxford Flowers 102: `jpg/`, `imagelabels.mat`, `setid.mat`; classes have numbers alone. */
export function writeOxfordFlowers102(root: string, options: FewImages = {}): void {
  const { classes = ['1', '2', '3'], train = 1, val = 1, test = 3 } = options;
  const images = listed(classes.length, { train, val, test });
  const idsOf = (part: Part): number[] => images.filter((each) => each.part === part).map(({ id }) => id);
  writeSet(root, options, images, ({ id }) => `jpg/image_${padded(id, 5)}.jpg`, {
    'imagelabels.mat': matFile({ labels: images.map(({ label }) => label + 1) }),
    'setid.mat': matFile({ trnid: idsOf('train'), valid: idsOf('val'), tstid: idsOf('test') }),
  });
}

/** CUB-200-2011: `images/` and its lists. */
export function writeCub200(root: string, options: FewImages = {}): void {
  const { classes = ['001.Black_footed_Albatross', '002.Laysan_Albatross'], train = 2, test = 2 } = options;
  const images = listed(classes.length, { train, test });
  const nameOf = ({ label, id }: Listed): string =>
    `${classes[label]}/${classes[label]!.slice(4)}_${padded(id, 4)}.jpg`;
  writeSet(root, options, images, (each) => `images/${nameOf(each)}`, {
    'classes.txt': lines(classes.map((name, at) => `${at + 1} ${name}`)),
    'images.txt': lines(images.map((each) => `${each.id} ${nameOf(each)}`)),
    'image_class_labels.txt': lines(images.map(({ id, label }) => `${id} ${label + 1}`)),
    'train_test_split.txt': lines(images.map(({ id, part }) => `${id} ${part === 'train' ? 1 : 0}`)),
  });
}

const VOC_CLASSES =
  'aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep sofa train tvmonitor';

/**
 * PASCAL VOC 2007: `VOCdevkit/VOC2007/` below `root`, with so many images of each of the 20 classes. The classes of an image are its own and the one that follows; the next but one is
 * difficult.
 */
export function writeVoc2007(root: string, options: Omit<FewImages, 'classes'> = {}): void {
  const { train = 1, val = 1, test = 1 } = options;
  const classes = VOC_CLASSES.split(' ');
  const images = listed(classes.length, { train, val, test });
  const signOf = (label: number, at: number): string => ['1', '1', '0'][(at - label + 20) % 20] ?? '-1';
  const folder = 'VOCdevkit/VOC2007';
  const files: Files = {};
  for (const part of ['train', 'val', 'test'] as const) {
    const own = images.filter((each) => each.part === part);
    if (own.length === 0) continue;
    for (const [at, name] of classes.entries())
      files[`${folder}/ImageSets/Main/${name}_${part}.txt`] = lines(
        own.map(({ id, label }) => `${padded(id, 6)} ${signOf(label, at).padStart(2)}`),
      );
  }
  writeSet(root, options, images, ({ id }) => `${folder}/JPEGImages/${padded(id, 6)}.jpg`, files);
}
