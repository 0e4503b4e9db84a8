/** Logistic regression with a sweep of the penalty C. */
import { logisticRegression, type SweepPoint } from '@franca/evals';
import { type Figure, lineChart } from '@franca/viz';
import { Option } from 'commander';
import { numberList } from '../../options/option-values';
import type { EvalTask } from '../task';

interface Options {
  readonly c?: readonly number[];
  readonly metric?: 'top-1' | 'mean-per-class';
}

export const task: EvalTask = {
  name: 'logreg',
  about: 'logistic regression, 45 values of C (paper Table 3)',
  reads: 'labelled',
  order: 3,
  options: (command) =>
    command
      .option('-c, --c <list>', 'penalties (default: 45 powers of ten from 1e-6 to 1e5)', numberList)
      .addOption(
        new Option('--metric <name>', 'what C is chosen by (default: top-1)').choices(['top-1', 'mean-per-class']),
      ),
  async run(context, { c, metric }: Options) {
    const train = await context.labelled('train');
    const test = await context.labelled('test');
    const { outcome, sweep } = await logisticRegression(train.features.labelled, test.features.labelled, {
      backend: context.backend,
      cs: c,
      metric,
    });
    return {
      records: context.records(test, [outcome]),
      ...(sweep.length > 1 && { section: { charts: [chartOf(sweep)] } }),
    };
  },
};

function chartOf(sweep: readonly SweepPoint[]): { figure: Figure } {
  const x = sweep.map(({ c }) => c);
  const y = sweep.map(({ score }) => 100 * score);
  return {
    figure: lineChart([{ name: 'held-out accuracy', x, y }], {
      title: 'Logistic regression: choice of C',
      x: { label: 'C', kind: 'log', format: (c) => c.toExponential(0).replace('+', '') },
      y: { label: '%' },
      markers: true,
    }),
  };
}
