/**
 * The test sets behind the paper's numbers: a name alone does not make a number comparable. Sizes and metrics are those of the
 * official evaluations (DINOv2's for ImageNet and the fine-grained sets, NeCo's and Hummingbird's for segmentation).
 */
import { checkArgument } from '../errors';
import type { Outcome, Subject } from '../outcome';
import { PAPER_RESULTS } from './paper-results';

interface PaperSet {
  /** Images that the paper's number is taken over. */
  readonly images: number;
  /** What the paper reports for logistic regression; default top-1. */
  readonly metric?: 'mean-per-class';
}

const PAPER_SETS: Readonly<Record<string, PaperSet>> = {
  'imagenet-1k': { images: 50_000 },
  'imagenet-real': { images: 46_837 },
  'imagenet-v2': { images: 10_000 },
  'imagenet-a': { images: 7_500 },
  'imagenet-r': { images: 30_000 },
  'imagenet-sketch': { images: 50_889 },
  'food-101': { images: 25_250 },
  'cifar-10': { images: 10_000 },
  'cifar-100': { images: 10_000 },
  sun397: { images: 19_850 },
  'stanford-cars': { images: 8_041 },
  'fgvc-aircraft': { images: 3_333, metric: 'mean-per-class' },
  dtd: { images: 1_880 },
  'oxford-pets': { images: 3_669, metric: 'mean-per-class' },
  'caltech-101': { images: 6_084, metric: 'mean-per-class' },
  'oxford-flowers-102': { images: 6_149, metric: 'mean-per-class' },
  'cub-200-2011': { images: 5_794 },
  'voc-2012': { images: 1_449 },
  ade20k: { images: 2_000 },
  'coco-stuff': { images: 5_000 },
  'coco-things': { images: 5_000 },
};

/** Why the paper's value beside a result is not its like: a sentence for each reason, none where it is or there is no value. */
export function paperDifferences(
  record: Pick<Outcome, 'task' | 'metric'> & Pick<Subject, 'dataset'>,
  images: number,
): string[] {
  checkArgument('paperDifferences', 'record', record, 'object');
  checkArgument('paperDifferences', 'images', images, 'number');
  const { dataset, task, metric } = record;
  const set = Object.hasOwn(PAPER_SETS, dataset) ? PAPER_SETS[dataset] : undefined;
  if (!set || !PAPER_RESULTS.some((row) => row.task === task && row.dataset === dataset)) return [];
  const other = task === 'logistic-regression' && set.metric && set.metric !== metric ? set.metric : undefined;
  return [
    ...(images === set.images
      ? []
      : [`the paper's ${dataset} has ${set.images} test images, this result is taken over ${images}`]),
    ...(other ? [`the paper's ${dataset} is ${other}, this result is ${metric}`] : []),
  ];
}
