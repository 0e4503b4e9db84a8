/** Overclustering: do clusters of patches follow classes? */
import { type EvalRecord, overclustering } from '@franca/evals';
import { lineChart } from '@franca/viz';
import { Option } from 'commander';
import { indexList, integerList } from '../../options/option-values';
import { countProgress } from '../../text/count-progress';
import { overclusterCost } from '../estimate/costs/overcluster';
import {
  follow,
  type OverclusterValues,
  PAPER_OVERCLUSTER,
  type ProtocolOptions,
  protocolOption,
} from '../paper-protocol';
import { progressFor } from '../progress-file';
import {
  classTable,
  type ScoringOptions,
  scoringOf,
  underProtocol,
  withOtherMean,
  withScoring,
} from '../segmentation-scoring';
import type { EvalTask } from '../task';
import { clusterCounts } from '../usual-values';

interface Options extends ScoringOptions, ProtocolOptions, Partial<OverclusterValues> {
  /** As many clusters as classes and no others, where no numbers are given. */
  readonly onlyClasses?: boolean;
}

export const task: EvalTask = {
  name: 'overcluster',
  about: 'k-means of patch tokens named after classes (paper Table 4)',
  reads: 'segmentation',
  order: 8,
  rasa: { options: { onlyClasses: true }, limited: 'only as many clusters as classes' },
  inputSize: ({ protocol }) => (protocol === 'paper' ? PAPER_OVERCLUSTER.size : undefined),
  cost: overclusterCost,
  options: (command) =>
    withScoring(command)
      .addOption(
        protocolOption('448 px bilinear, k-means from random points, 100, 300 and 500 clusters too, as behind Table 4'),
      )
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
  async run(context, options: Options) {
    const { protocol } = options;
    const scoring = underProtocol(options, protocol);
    const test = await context.segmentation('test', protocol && PAPER_OVERCLUSTER.look);
    const clusters: readonly number[] = [...new Set([test.set.classes.length, ...PAPER_OVERCLUSTER.values.clusters])];
    const paper = { ...PAPER_OVERCLUSTER, values: { ...PAPER_OVERCLUSTER.values, clusters } };
    const asked = { task: 'overcluster', protocol, paper, given: options, input: context.input() };
    const { values, notes, hyper } = follow(asked);
    const settings = {
      ...scoringOf(test.set, scoring),
      clusters:
        values.clusters ??
        clusterCounts(test.set.classes.length, test.patches).slice(0, options.onlyClasses ? 1 : undefined),
      seeds: values.seeds,
      match: values.match,
      start: values.start,
    };
    const progress = await progressFor(context, 'overcluster', { parts: [test], options: settings });
    const { update, end } = countProgress('overcluster', { items: 'k-means', unit: 'k-means' });
    const { outcomes } = await overclustering(test.batches, {
      ...settings,
      ...{ backend: context.backend, progress },
      onClustered: (done, all) => update(done, all, false),
    });
    end();
    const set = { ...test.set, notes: [...test.set.notes, ...notes] };
    const settled = outcomes.map((outcome) => ({ ...outcome, hyper: { ...outcome.hyper, ...hyper } }));
    const records = context.records({ ...test, set }, withOtherMean(set, scoring, settled));
    const charts = records.length > 1 ? [{ figure: clusterChart(records) }] : [];
    return { records, section: { charts, tables: [classTable(test.set, records)] } };
  },
};

/** mIoU over the number of clusters (Fig. 10): the mean over seeds, and a band from the lowest seed to the highest. */
function clusterChart(records: readonly EvalRecord[]) {
  const sorted = records.toSorted((a, b) => clustersOf(a) - clustersOf(b));
  const counts = sorted.map(clustersOf);
  const bySeed = sorted.map(({ others, seeds }) => seeds.map((seed) => 100 * others[`seed ${seed}`]!));
  const line = {
    name: `mean of ${bySeed[0]!.length} seeds`,
    x: counts,
    y: sorted.map(({ value }) => 100 * value),
    band: { low: bySeed.map((values) => Math.min(...values)), high: bySeed.map((values) => Math.max(...values)) },
  };
  return lineChart([line], {
    title: 'Overclustering',
    subtitle: 'the band reaches from the lowest seed to the highest',
    markers: true,
    x: { label: 'clusters', kind: 'log', ticks: counts, format: String },
    y: { label: 'mIoU, %' },
  });
}

const clustersOf = ({ hyper }: EvalRecord): number => Number(hyper.clusters);
