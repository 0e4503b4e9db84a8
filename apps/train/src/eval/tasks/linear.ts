/** Linear probe: 13 learning rates x {1, 4 blocks} x {with, without patch mean}, trained at once. */
import { linearProbe } from '@franca/evals';
import { numberList, positiveInteger, positiveNumber } from '../../options/option-values';
import { probeBatch, type Selection, selectOption } from '../linear-training';
import type { EvalTask } from '../task';

interface Options {
  readonly epochs?: number;
  readonly trainBatch?: number;
  readonly learningRates?: readonly number[];
  readonly select?: Selection;
}

export const task: EvalTask = {
  name: 'linear',
  about: 'linear probe, 52 classifiers at once (paper Table 2)',
  reads: 'labelled',
  blocks: 4,
  order: 2,
  options: (command) =>
    command
      .option('--epochs <n>', 'passes over train (default: 10)', positiveNumber)
      .option('--train-batch <n>', 'images per step (default: 128, at most an eighth of train)', positiveInteger)
      .option('--learning-rates <list>', 'base learning rates (default: the official 13)', numberList)
      .addOption(selectOption('the best classifier is')),
  async run(context, { epochs, trainBatch, learningRates, select }: Options) {
    const train = await context.labelled('train');
    const test = await context.labelled('test');
    const { outcome, grid } = await linearProbe(train.features.probe, test.features.probe, {
      backend: context.backend,
      epochs,
      learningRates,
      select,
      batchSize: trainBatch ?? probeBatch(train.features.labelled.labels.length),
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
