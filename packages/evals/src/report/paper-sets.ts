/**
 * The test sets behind the paper's numbers: a name alone does not make a number comparable. Sizes and metrics are those of the
 * official evaluations (DINOv2's for ImageNet and the fine-grained sets, NeCo's and Hummingbird's for segmentation).
 */
interface PaperSet {
  /** Items that the paper's number is taken over, and where those of a task are others. */
  readonly items?: number;
  readonly of?: Readonly<Record<string, number>>;
  /** Its number is taken over a draw from so many. */
  readonly drawn?: boolean;
  /** What the paper reports for logistic regression; default top-1. */
  readonly metric?: 'mean-per-class' | 'mean over sets';
}

/** The fine-grained data sets of Table 3, in the order of its columns. */
export const FINE_GRAINED: readonly string[] = [
  'food-101',
  'cifar-10',
  'cifar-100',
  'sun397',
  'stanford-cars',
  'fgvc-aircraft',
  'dtd',
  'oxford-pets',
  'caltech-101',
  'oxford-flowers-102',
  'cub-200-2011',
];

const PAPER_SETS: Readonly<Record<string, PaperSet>> = {
  'imagenet-1k': { items: 50_000 },
  'imagenet-real': { items: 46_837 },
  'imagenet-v2': { items: 10_000 },
  'imagenet-a': { items: 7_500 },
  'imagenet-r': { items: 30_000 },
  'imagenet-sketch': { items: 50_889 },
  'food-101': { items: 25_250 },
  'cifar-10': { items: 10_000 },
  'cifar-100': { items: 10_000 },
  sun397: { items: 19_850 },
  'stanford-cars': { items: 8_041 },
  'fgvc-aircraft': { items: 3_333, metric: 'mean-per-class' },
  dtd: { items: 1_880 },
  'oxford-pets': { items: 3_669, metric: 'mean-per-class' },
  'caltech-101': { items: 6_084, metric: 'mean-per-class' },
  'oxford-flowers-102': { items: 6_149, metric: 'mean-per-class' },
  'cub-200-2011': { items: 5_794 },
  // all of the eleven
  'fine-grained': { items: 100_050, metric: 'mean over sets' },
  'voc-2007': { of: { 'object-discovery': 5_011 } },
  'voc-2012': { items: 1_449, of: { 'object-discovery': 11_540 } },
  ade20k: { items: 2_000 },
  'coco-stuff': { items: 5_000 },
  'coco-things': { items: 5_000 },
  nyuv2: { items: 654 },
  // of which the protocol draws 200 pairs a class and bin
  'spair-71k': { of: { correspondence: 12_234 }, drawn: true },
  // objects
  'davis-2017': { of: { 'video-segmentation': 61 } },
};

const setOf = (dataset: string): PaperSet | undefined =>
  Object.hasOwn(PAPER_SETS, dataset) ? PAPER_SETS[dataset] : undefined;

/** Items that the paper's number of a task on a data set is taken over; undefined for sets that it does not have. */
export const paperSize = (task: string, dataset: string): number | undefined =>
  setOf(dataset)?.of?.[task] ?? setOf(dataset)?.items;

/** Whether the paper's number is taken over a draw from the items of a data set. */
export const isDrawn = (dataset: string): boolean => setOf(dataset)?.drawn ?? false;

/** What the paper reports of a task on a data set, where that is not what it reports of the others. */
export const paperMetric = (task: string, dataset: string): string | undefined =>
  task === 'logistic-regression' ? setOf(dataset)?.metric : undefined;
