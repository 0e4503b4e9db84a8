/** Matryoshka truncation curve: k-NN on the first m dimensions, beside PCA and random subspaces of m dimensions. */
import { type TruncationPoint, truncationCurve } from '@franca/evals';
import { type Figure, truncationCurve as truncationFigure } from '@franca/viz';
import { integerList, positiveInteger } from '../../options/option-values';
import { truncationCost } from '../estimate/costs/truncation';
import { ofCls } from '../idle-options';
import { heldImages } from '../image-part';
import type { EvalTask } from '../task';

interface Options {
  readonly widths?: readonly number[];
  readonly neighbours?: number;
}

export const task: EvalTask = {
  name: 'truncation',
  about: 'k-NN at nested widths, with PCA and random controls (paper Fig. 3)',
  reads: 'labelled',
  order: 4,
  idle: ofCls,
  cost: truncationCost,
  options: (command) =>
    command
      .option('--widths <list>', 'widths (default: D, D/2, ... D/16)', integerList)
      .option('--neighbours <k>', 'that vote (default: 20)', positiveInteger),
  async run(context, { widths, neighbours }: Options) {
    const train = await context.labelled('train', { patchMean: false });
    const test = await context.labelled('test', { patchMean: false });
    const { labelled } = await heldImages(test);
    const { batches } = await train.features();
    const { outcomes, curve } = await truncationCurve(batches, labelled, {
      backend: context.backend,
      widths,
      k: neighbours,
    });
    return { records: context.records(test, outcomes), section: { charts: [{ figure: figureOf(curve) }] } };
  },
};

function figureOf(curve: readonly TruncationPoint[]): Figure {
  const points = curve.toSorted((a, b) => a.width - b.width);
  const percent = (values: readonly (number | undefined)[]) => values.map((value) => 100 * (value ?? Number.NaN));
  const random = points.map((point) => point.random ?? []);
  const mean = random.map((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
  return truncationFigure(
    points.map(({ width }) => width),
    [
      { name: 'first dimensions', values: percent(points.map(({ truncated }) => truncated)) },
      { name: 'principal components', values: percent(points.map(({ pca }) => pca)), dashed: true },
      {
        name: 'random subspace',
        values: percent(mean),
        dashed: true,
        band: {
          low: percent(random.map((values) => Math.min(...values))),
          high: percent(random.map((values) => Math.max(...values))),
        },
      },
    ],
    { title: 'Truncated features', y: { label: '20-NN top-1 %' } },
  );
}
