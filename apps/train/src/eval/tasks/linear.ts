/** Linear probe: 13 learning rates x {1, 4 blocks} x {with, without patch mean}, trained at once. */
import { linearProbe } from '@franca/evals';
import { Option } from 'commander';
import { positiveInteger } from '../../features/feature-session';
import type { EvalTask } from '../eval-task';
import { numberList, positiveNumber } from '../task-options';

interface Options {
  readonly epochs?: number;
  readonly trainBatch?: number;
  readonly learningRates?: readonly number[];
  readonly select?: 'train-holdout' | 'test';
}

export const linearTask: EvalTask = {
  name: 'linear',
  about: 'linear probe, 52 classifiers at once (paper Table 2)',
  reads: 'images',
  options: (command) =>
    command
      .option('--epochs <n>', 'passes over train (default: 10)', positiveNumber)
      .option('--train-batch <n>', 'images per step (default: 128)', positiveInteger)
      .option('--learning-rates <list>', 'base learning rates (default: the official 13)', numberList)
      .addOption(
        new Option('--select <set>', 'what the best classifier is chosen on (default: a tenth of train)').choices([
          'train-holdout',
          'test',
        ]),
      ),
  async run(context, { epochs, trainBatch, learningRates, select }: Options) {
    const { train, test } = await context.images();
    const { outcome, grid } = await linearProbe(train.features.probe, test.features.probe, {
      backend: context.backend,
      epochs,
      learningRates,
      select,
      // A step needs a whole batch, and a small set has none of 128.
      batchSize: trainBatch ?? Math.min(128, Math.max(1, Math.floor(train.features.labelled.labels.length / 8))),
    });
    const rows = grid.toSorted((a, b) => b.top1 - a.top1).slice(0, 10);
    return {
      records: context.records(test, [outcome]),
      section: {
        text: `The best ten of ${grid.length} classifiers, by what the choice was made on.`,
        tables: [{ columns: ['classifier', 'top-1 %'], rows: rows.map(({ name, top1 }) => [name, 100 * top1]) }],
      },
    };
  },
};
