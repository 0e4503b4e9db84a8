/**
 * Cityscapes: leftImg8bit and gtFine, each with train and val of a folder a city. Masks hold 34 numbers of labels (`labelIds`), of which 19 are scored, or
 * the 19 classes themselves (`labelTrainIds`).
 */
import type { FileTree } from '@franca/data';
import { VOID } from './mask-values';
import type { LayoutPart, SegmentationLayout } from './segmentation-layout';
import { findPairs, hasPart } from './segmentation-pairs';

const CLASSES: readonly string[] =
  'road,sidewalk,building,wall,fence,pole,traffic light,traffic sign,vegetation,terrain,sky,person,rider,car,truck,bus,train,motorcycle,bicycle'.split(
    ',',
  );
/** Number of the label of each class. */
const LABELS: readonly number[] = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33];
const LAST_LABEL = 33;

const UNSCORED: readonly (readonly [number, number])[] = [
  ...Array.from({ length: LAST_LABEL + 1 }, (_, label) => [label, VOID] as const),
  [255, VOID],
];
const OF_LABEL_IDS: ReadonlyMap<number, number> = new Map([
  ...UNSCORED,
  ...LABELS.map((label, c) => [label, c] as const),
]);
const OF_TRAIN_IDS: ReadonlyMap<number, number> = new Map([...CLASSES.map((_, c) => [c, c] as const), [255, VOID]]);

const folders = (split: string) => ({ split, images: `leftImg8bit/${split}`, masks: `gtFine/${split}` });
const PUBLISHED: Readonly<Record<string, number>> = { train: 2_975, val: 500 };

export const CITYSCAPES: SegmentationLayout = {
  name: 'cityscapes',
  looks: 'Cityscapes (leftImg8bit, gtFine)',
  isHere: (tree) => ['train', 'val'].some((split) => hasPart(tree, folders(split))),
  async open(tree) {
    const kind = kindOfMasks(tree);
    const partOf = async (split: string): Promise<LayoutPart | undefined> => {
      if (!hasPart(tree, folders(split))) return undefined;
      const pairs = await findPairs(tree, {
        ...folders(split),
        maskOf: (stem) => stem.replace(/_leftImg8bit$/, `_gtFine_${kind}`),
        isMask: (name) => name.endsWith(`_gtFine_${kind}.png`),
      });
      return { ...pairs, published: PUBLISHED[split]! };
    };
    const [train, val] = [await partOf('train'), await partOf('val')];
    return {
      dataset: 'cityscapes',
      classes: CLASSES,
      ignore: 255,
      values: kind === 'labelIds' ? OF_LABEL_IDS : OF_TRAIN_IDS,
      ...(train && { train }),
      ...(val && { val }),
      missing: ['train', 'val']
        .flatMap((split) => [`leftImg8bit/${split}`, `gtFine/${split}`])
        .filter((folder) => tree.names(folder).length === 0),
      notes: [`masks are those of gtFine_${kind}`],
    };
  },
};

/** As they are distributed, or as they were made for training. */
const kindOfMasks = (tree: FileTree): 'labelIds' | 'labelTrainIds' =>
  !tree.list('gtFine').some((name) => name.endsWith('_gtFine_labelIds.png')) &&
  tree.list('gtFine').some((name) => name.endsWith('_gtFine_labelTrainIds.png'))
    ? 'labelTrainIds'
    : 'labelIds';
