/** k-NN classification: several k at once, or with few train images per class. */
import { knn, knnFewShot } from '@franca/evals';
import { integerList, positiveInteger, positiveNumber } from '../../options/option-values';
import type { EvalTask } from '../task';

interface Options {
  readonly k?: readonly number[];
  readonly temperature?: number;
  readonly shots?: number;
  readonly tries?: number;
}

export const task: EvalTask = {
  name: 'knn',
  about: 'k-NN classification of CLS tokens (paper Table 2)',
  reads: 'labelled',
  order: 1,
  options: (command) =>
    command
      .option('-k, --k <list>', 'neighbours; the best of several is reported', integerList)
      .option('--temperature <t>', 'of the votes (default: 0.07)', positiveNumber)
      .option('--shots <n>', 'train images per class (default: all)', positiveInteger)
      .option('--tries <n>', 'draws of so many shots (default: 5)', positiveInteger),
  async run(context, { k, temperature, shots, tries }: Options) {
    const train = await context.labelled('train');
    const test = await context.labelled('test');
    const { backend } = context;
    const items = train.features.labelled.labels.length;
    // With fewer images than neighbours all of them vote, whatever k is.
    const ks = k ?? [10, 20, 100, 200].filter((count) => count <= Math.max(10, items));
    const options = { ks, backend, temperature, classes: train.set.classes.length };
    const { labelled } = train.features;
    const outcome =
      shots === undefined
        ? (await knn(labelled, test.features.labelled, options)).outcome
        : (await knnFewShot(labelled, test.features.labelled, { ...options, shots, tries })).outcome;
    return { records: context.records(test, [outcome]) };
  },
};
