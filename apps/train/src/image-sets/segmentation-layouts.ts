/**
 * Folders with images and masks, recognised by their layout:
 *
 *   pairs   train/images, train/masks and, where there are any, val/images, val/masks; class names in annotations.json or classes.json
 *   voc     JPEGImages, SegmentationClass, ImageSets/Segmentation/{train,val}.txt (PASCAL VOC 2012)
 *   ade     images/{training,validation}, annotations/{training,validation} (ADE20K; 0 is unlabelled)
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where the images and masks of one part lie, below the root. */
export interface Part {
  readonly split: string;
  readonly images: string;
  readonly masks: string;
  /** Text file of the names that belong to it; absent: every image. */
  readonly list?: string;
}

export interface Layout {
  readonly dataset?: string;
  readonly train: Part;
  readonly val: Part;
  /** Names by value; absent: the folder says. */
  readonly classes?: readonly string[];
  /** Value that is not scored; default 255. */
  readonly ignore?: number;
}

const VOC_CLASSES: readonly string[] =
  'background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep sofa train tvmonitor'.split(
    ' ',
  );

const voc = (split: string): Part => ({
  split,
  images: 'JPEGImages',
  masks: 'SegmentationClass',
  list: `ImageSets/Segmentation/${split}.txt`,
});
const LAYOUTS: readonly Layout[] = [
  {
    train: { split: 'train', images: 'train/images', masks: 'train/masks' },
    val: { split: 'val', images: 'val/images', masks: 'val/masks' },
  },
  { dataset: 'voc-2012', train: voc('train'), val: voc('val'), classes: VOC_CLASSES },
  {
    dataset: 'ade20k',
    train: { split: 'training', images: 'images/training', masks: 'annotations/training' },
    val: { split: 'validation', images: 'images/validation', masks: 'annotations/validation' },
    classes: ['unlabelled', ...Array.from({ length: 150 }, (_, i) => `class ${i + 1}`)],
    ignore: 0,
  },
];

/** The layout of a folder, if it has one of them. */
export const layoutOf = (root: string): Layout | undefined =>
  LAYOUTS.find(({ train }) => existsSync(join(root, train.images)) && existsSync(join(root, train.masks)));
