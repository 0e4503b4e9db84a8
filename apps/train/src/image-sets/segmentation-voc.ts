/**
 * PASCAL VOC 2012, as it unpacks (JPEGImages, SegmentationClass, ImageSets/Segmentation) and as Hummingbird and NeCo lay it out (images,
 * SegmentationClass, sets).
 *
 * The published protocols train on `trainaug`: 10,582 pictures with masks of the Semantic Boundaries Dataset, which lie in SegmentationClassAug.
 * VOC itself masks 1,464 pictures for training. Both are scored on the 1,449 of `val` with the masks of SegmentationClass.
 */
import type { FileTree } from '@franca/data';
import { TrainError } from '../errors';
import { some } from './judge-masks';
import type {
  LayoutPart,
  OpenedLayout,
  SegmentationLayout,
  SegmentationOptions,
  Surroundings,
} from './segmentation-layout';
import { findPairs, hasPart, namesOfList } from './segmentation-pairs';
import { findSbd, withSbd } from './segmentation-sbd';

const CLASSES: readonly string[] =
  'background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep sofa train tvmonitor'.split(
    ' ',
  );

const PUBLISHED: Readonly<Record<string, number>> = { train: 1_464, trainaug: 10_582, val: 1_449 };
const [PLAIN, AUGMENTED] = ['SegmentationClass', 'SegmentationClassAug'];
const HOW_TO_AUGMENT =
  'trainaug is the training set of the published protocols: put the masks of the Semantic Boundaries Dataset as PNG files into SegmentationClassAug and ' +
  'the names of its 10,582 training pictures into trainaug.txt beside train.txt, or unpack it (benchmark_RELEASE) beside the folder of VOC and give the folder around both';

/** Where one of the two layouts has its pictures and lists. */
interface Folders {
  readonly images: string;
  readonly lists: string;
  /** Masks of the list `train`, the first that there are. */
  readonly train: readonly string[];
}

const layout = (looks: string, folders: Folders): SegmentationLayout => ({
  name: 'voc-2012',
  looks,
  isHere: (tree) =>
    tree.names(folders.lists).length > 0 &&
    [PLAIN, AUGMENTED].some((masks) => hasPart(tree, { images: folders.images, masks })),
  open: (tree, options, around) => openVoc(tree, folders, options, around),
});

export const VOC: readonly SegmentationLayout[] = [
  layout('PASCAL VOC 2012 (JPEGImages, SegmentationClass, ImageSets/Segmentation)', {
    images: 'JPEGImages',
    lists: 'ImageSets/Segmentation',
    train: [PLAIN],
  }),
  layout('VOCSegmentation (images, SegmentationClass, sets)', {
    images: 'images',
    lists: 'sets',
    // as the reference reads it
    train: [AUGMENTED, PLAIN],
  }),
];

async function openVoc(
  tree: FileTree,
  folders: Folders,
  options: SegmentationOptions,
  { whole, folder }: Surroundings,
): Promise<OpenedLayout> {
  const partOf = async (split: string, masks: string): Promise<LayoutPart> => ({
    ...(await findPairs(tree, { split, masks, images: folders.images, list: listOf(tree, folders, split) })),
    ...(isOf2012(tree) && { published: PUBLISHED[split]! }),
  });
  const sbd = findSbd(whole);
  const { split, masks, notes } = chooseTrain(tree, folders, options, sbd);
  const listed = await partOf(split, masks);
  const train =
    masks === PLAIN && sbd !== undefined && options.trainList !== 'train'
      ? await addSbd(tree, folders, listed, { whole, folder, sbd })
      : { ...listed, notes: [...notes, ...listed.notes] };
  const val = await partOf('val', PLAIN);
  return {
    dataset: `voc-${yearOf(tree)}`,
    classes: CLASSES,
    ignore: 255,
    train,
    val,
    missing: [],
    notes: await commonNotes(tree, folders, split),
  };
}

/** The list that is meant and its masks; what lies there half is told or refused. */
function chooseTrain(tree: FileTree, folders: Folders, { trainList }: SegmentationOptions, sbd: string | undefined) {
  const hasList = tree.has(listOf(tree, folders, 'trainaug'));
  const hasMasks = hasPart(tree, { images: folders.images, masks: AUGMENTED });
  if (trainList !== 'train' && hasList && hasMasks)
    return {
      split: 'trainaug',
      masks: AUGMENTED,
      notes: ['train is the list trainaug, with the masks of SegmentationClassAug'],
    };
  if (sbd === undefined && (trainList === 'trainaug' || (trainList === undefined && hasList)))
    throw new TrainError(
      'data',
      `${tree.name} has ${hasList ? 'trainaug.txt without SegmentationClassAug' : `no ${folders.lists}/trainaug.txt`}; ${HOW_TO_AUGMENT}, or ` +
        'train on the 1,464 of VOC itself with --train-list train',
    );
  if (sbd !== undefined && trainList !== 'train') return { split: 'train', masks: PLAIN, notes: [] };
  const masks = folders.train.find((each) => hasPart(tree, { images: folders.images, masks: each })) ?? PLAIN;
  const lacking =
    trainList === undefined
      ? `, for want of ${hasMasks ? 'trainaug.txt' : 'SegmentationClassAug and trainaug.txt'}`
      : '';
  return { split: 'train', masks, notes: [`train is the list train, with the masks of ${masks}${lacking}`] };
}

/** SBD lies beside VOC's folder, so that all paths are those of the whole. */
async function addSbd(
  tree: FileTree,
  folders: Folders,
  train: LayoutPart,
  { whole, folder, sbd }: Surroundings & { readonly sbd: string },
): Promise<LayoutPart> {
  const inWhole = (path: string): string => (folder === '' ? path : `${folder}/${path}`);
  const files = tree.names(folders.images).filter((name) => /\.jpe?g$/i.test(name));
  const pictures = train.pictures.map((each) => ({
    ...each,
    picture: inWhole(each.picture),
    mask: inWhole(each.mask),
  }));
  const part = await withSbd(
    whole,
    sbd,
    { ...train, pictures },
    {
      pictures: new Map(files.map((name) => [name.replace(/\.\w+$/, ''), inWhole(`${folders.images}/${name}`)])),
      scored: await namesOfList(tree, listOf(tree, folders, 'val')),
    },
  );
  return { ...part, tree: whole, published: isOf2012(tree) ? PUBLISHED.trainaug : undefined };
}

/** `train_aug.txt` stands for `trainaug.txt`. */
function listOf(tree: FileTree, { lists }: Folders, split: string): string {
  const other = `${lists}/train_aug.txt`;
  const own = `${lists}/${split}.txt`;
  return split === 'trainaug' && !tree.has(own) && tree.has(other) ? other : own;
}

/** Pictures that are learnt from and scored make a number that means little. */
async function commonNotes(tree: FileTree, folders: Folders, split: string): Promise<string[]> {
  const val = await namesOfList(tree, listOf(tree, folders, 'val'));
  const common = [...(await namesOfList(tree, listOf(tree, folders, split)))].filter((name) => val.has(name));
  return common.length > 0
    ? [
        `${common.length} pictures are in ${split} and in val: ${some(common)}; what is scored on them was learnt from them`,
      ]
    : [];
}

/** By the name of the folder; 2012 where it tells none. */
const yearOf = (tree: FileTree): string => /voc[-_]?(20\d\d)(\.tar)?$/i.exec(tree.name)?.[1] ?? '2012';
const isOf2012 = (tree: FileTree): boolean => yearOf(tree) === '2012';
