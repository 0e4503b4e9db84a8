/** Overclustering: do clusters of patches follow classes? */
import { overclustering } from '@franca/evals';
import { Option } from 'commander';
import type { ImageSet } from '../../image-sets/image-set';
import { indexList, integerList } from '../../options/option-values';
import { classTable, type ScoringOptions, scoringOf, withOtherMean, withScoring } from '../segmentation-scoring';
import type { EvalTask } from '../task';

interface Options extends ScoringOptions {
  readonly clusters?: readonly number[];
  readonly seeds?: readonly number[];
  readonly match?: 'auto' | 'hungarian' | 'precision' | 'iou';
  readonly start?: 'k-means++' | 'random';
}

export const task: EvalTask = {
  name: 'overcluster',
  about: 'k-means of patch tokens named after classes (paper Table 4)',
  reads: 'segmentation',
  order: 8,
  options: (command) =>
    withScoring(command)
      .option(
        '--clusters <list>',
        'numbers of clusters (default: the classes; 100, 300, 500 where there are 32 patches for each)',
        integerList,
      )
      .option('--seeds <list>', 'of k-means; the mean is reported (default: 0,1,2,3,4)', indexList)
      .addOption(
        new Option('--match <how>', 'how clusters are named (default: auto)').choices([
          'auto',
          'hungarian',
          'precision',
          'iou',
        ]),
      )
      .addOption(new Option('--start <how>', 'of k-means (default: k-means++)').choices(['k-means++', 'random'])),
  async run(context, { clusters, seeds, match, start, ...scoring }: Options) {
    const test = await context.segmentation('test');
    const settings = scoringOf(test.set, scoring);
    const { outcomes } = await overclustering(test.batches, {
      ...settings,
      backend: context.backend,
      clusters: clusters ?? clusterCounts(test.set, context.grid),
      seeds,
      match,
      start,
    });
    const records = context.records(test, withOtherMean(test.set, scoring, outcomes));
    return { records, section: { tables: [classTable(test.set, records)] } };
  },
};

/** With fewer patches a cluster is named after whatever is in it, and many clusters score high on any features. */
const PATCHES_PER_CLUSTER = 32;

/** As many clusters as classes, 100, 300 and 500, as far as there are patches. */
function clusterCounts(set: ImageSet, [rows, columns]: readonly [number, number]): number[] {
  const patches = set.length * rows * columns;
  const classes = set.classes.length;
  return [classes, ...[100, 300, 500].filter((count) => PATCHES_PER_CLUSTER * count <= patches)];
}
