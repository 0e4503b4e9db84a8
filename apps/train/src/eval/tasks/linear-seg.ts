/** Linear segmentation: one linear layer from patch tokens to classes. */
import { linearSegmentation } from '@franca/evals';
import { Option } from 'commander';
import { positiveInteger } from '../../features/feature-session';
import { collectDense } from '../../features/feature-sets';
import type { EvalTask } from '../eval-task';
import { classTable, type ScoringOptions, scoringOf, withScoring } from '../segmentation-scoring';
import { numberList } from '../task-options';

interface Options extends ScoringOptions {
  readonly epochs?: number;
  readonly learningRates?: readonly number[];
  readonly select?: 'train-holdout' | 'test';
  readonly compareAt?: number;
  readonly trainBatch?: number;
}

export const linearSegTask: EvalTask = {
  name: 'linear-seg',
  about: 'linear segmentation, five learning rates (paper Table 4)',
  reads: 'segmentation',
  options: (command) =>
    withScoring(command)
      .option('--epochs <n>', 'passes over train (default: 25)', positiveInteger)
      .option('--learning-rates <list>', 'tried at once (default: 0.001,0.005,0.01,0.05,0.1)', numberList)
      .option('--compare-at <px>', 'side at which loss and score are taken (default: 100)', positiveInteger)
      .option('--train-batch <n>', 'images per step (default: 128, at most an eighth of train)', positiveInteger)
      .addOption(
        new Option('--select <set>', 'what rate and epoch are chosen on (default: a tenth of train)').choices([
          'train-holdout',
          'test',
        ]),
      ),
  async run(context, { epochs, learningRates, select, compareAt, trainBatch, ...scoring }: Options) {
    const { train, test } = await context.segmentation();
    const { outcome } = await linearSegmentation(await collectDense(train.batches), await collectDense(test.batches), {
      ...scoringOf(test.set, scoring),
      backend: context.backend,
      batchSize: trainBatch ?? Math.min(128, Math.max(1, train.set.length >> 3)),
      epochs,
      dropAfter: epochs && Math.round(epochs * 0.8),
      learningRates,
      select,
      size: compareAt ? [compareAt, compareAt] : undefined,
    });
    const records = context.records(test, [outcome]);
    return { records, section: { tables: [classTable(test.set, records)] } };
  },
};
