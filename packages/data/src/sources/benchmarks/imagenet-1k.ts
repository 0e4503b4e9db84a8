/**
 * ImageNet-1k (ILSVRC 2012): 1,281,167 images to train on and 50,000 to validate on, of 1,000 classes.
 *
 * As torchvision lays it, `{train,val}/<wnid>/*.JPEG`; or as Kaggle does, `ILSVRC/Data/CLS-LOC/{train,val}`, where val is flat and
 * `LOC_val_solution.csv` at the root names its classes; or with the flat val of the download and the devkit beside it (`label-files.ts`
 * reads them). A class is the place of its WordNet id in the sorted list of the 1,000, whatever the files number it.
 *
 * It is told by its class folders, all 1,000 of them and no others, and by the names of its validation images: a set of ten of its
 * classes, or its images in another style, are not ImageNet-1k.
 */

import { DataError } from '../../errors';
import type { ImageSource } from '../../images/image-source';
import { readClassTitles } from '../class-titles';
import { folderSource } from '../folder';
import type { Split } from '../source-kind';
import { findSplitFolders, labelledFolder, type SplitFolders } from '../split-folders';
import type { Benchmark, BenchmarkLayout } from './benchmark';
import { firstImage, hasClasses, isValName } from './class-folders';
import { findWhere } from './find-folder';
import { IMAGENET_CLASSES } from './imagenet-classes';
import { countNotes } from './listed-parts';

/** Where the parts lie in what is unpacked. */
const FOLDERS = ['ILSVRC/Data/CLS-LOC', 'Data/CLS-LOC', 'ILSVRC2012', 'imagenet-1k', 'imagenet'];

export const IMAGENET_1K: BenchmarkLayout = {
  facts: {
    name: 'imagenet-1k',
    title: 'ImageNet-1k',
    metric: 'top-1',
    published: { classes: 1_000, train: 1_281_167, val: 50_000 },
    classNames: 'wnid',
  },
  lies:
    '{train,val}/<wnid>/*.JPEG; or ILSVRC/Data/CLS-LOC/{train,val} with LOC_val_solution.csv at the root; or a flat val with ' +
    'ILSVRC2012_devkit_t12/ beside it',
  find: (root) => findWhere(root, FOLDERS, async (folder) => isImageNet(await partsOf(folder))),
  open,
};

/** The parts that are there. Parts that cannot be told from each other are none here. */
async function partsOf(folder: string): Promise<SplitFolders> {
  const { train, val, test } = await findSplitFolders(folder).catch((): SplitFolders => ({}));
  return { ...(train && { train }), ...(val && val !== test && { val }) };
}

async function isImageNet({ train, val }: SplitFolders): Promise<boolean> {
  if (!val || (train && !(await hasClasses(train, IMAGENET_CLASSES)))) return false;
  const isWhole = (await hasClasses(val, IMAGENET_CLASSES)) || (await hasClasses(val, []));
  return isWhole && isValName(await firstImage(val, IMAGENET_CLASSES));
}

async function open(folder: string): Promise<Benchmark> {
  const { facts } = IMAGENET_1K;
  const found = await partsOf(folder);
  if (!found.val) throw new DataError('not-found', `${folder} has no val folder`);
  const [val, train, titles] = await Promise.all([
    labelledFolder(found.val, IMAGENET_CLASSES),
    found.train === undefined ? undefined : folderSource(found.train, { classes: IMAGENET_CLASSES }),
    readClassTitles(folder, IMAGENET_CLASSES),
  ]);
  const partOf = ({ notes: _, ...source }: ImageSource, split: Split): ImageSource => ({
    ...source,
    name: `${facts.title} ${split} ${found[split]}`,
    ...(titles && source.classes && { classTitles: titles }),
  });
  const parts = { ...(train && { train: partOf(train, 'train') }), val: partOf(val, 'val') };
  const notes = [...(train?.notes ?? []), ...(val.notes ?? []), ...countNotes(facts, parts)];
  return { facts, parts, notes, close: async () => {} };
}
