/** k-NN classification: several k at once, or with few train images per class. */
import { knn, knnFewShot } from '@franca/evals';
import { integerList, positiveInteger, positiveNumber } from '../../options/option-values';
import { knnCost } from '../estimate/costs/knn';
import { ofCls } from '../idle-options';
import { heldImages } from '../image-part';
import { follow, type KnnValues, learntFrom, PAPER_KNN, type ProtocolOptions, protocolOption } from '../paper-protocol';
import { progressFor } from '../progress-file';
import type { EvalTask } from '../task';
import { neighbourCounts } from '../usual-values';

interface Options extends ProtocolOptions, Partial<KnnValues> {
  readonly shots?: number;
  readonly tries?: number;
}

export const task: EvalTask = {
  name: 'knn',
  about: 'k-NN classification of CLS tokens (paper Table 2)',
  reads: 'labelled',
  order: 1,
  inputSize: ({ protocol }) => (protocol === 'paper' ? PAPER_KNN.size : undefined),
  idle: (options) => ({ ...ofCls(options), tries: options.shots === undefined && 'without --shots' }),
  cost: knnCost,
  options: (command) =>
    command
      .addOption(protocolOption('224 px of 256, the best k of 10, 20, 100, 200 at temperature 0.07, as behind Table 2'))
      .option('-k, --k <list>', 'neighbours; the best of several is reported', integerList)
      .option('--temperature <t>', 'of the votes (default: 0.07)', positiveNumber)
      .option('--shots <n>', 'train images per class (default: all)', positiveInteger)
      .option('--tries <n>', 'draws of so many shots (default: 5)', positiveInteger),
  async run(context, options: Options) {
    const { protocol, shots, tries } = options;
    const asked = { task: 'knn', protocol, paper: PAPER_KNN, given: options, input: context.input() };
    const followed = follow(asked);
    const { values, resize } = followed;
    const train = await context.labelled('train', { resize, patchMean: false });
    const { notes, hyper } = learntFrom(followed, asked.task, train.set);
    const test = await context.labelled('test', { resize, patchMean: false });
    const { labelled: queries } = await heldImages(test);
    const { batches } = await train.features();
    const { backend } = context;
    const ks = values.k ?? neighbourCounts(train.set.length);
    const settings = { ks, temperature: values.temperature, classes: train.set.classes.length };
    const progress = await progressFor(context, 'knn', { parts: [train, test], options: { ...settings, shots } });
    const voting = { ...settings, backend, progress };
    const { outcome } =
      shots === undefined
        ? await knn(batches, queries, voting)
        : await knnFewShot(batches, queries, { ...voting, shots, tries });
    const set = { ...test.set, notes: [...test.set.notes, ...notes] };
    const settled = { ...outcome, hyper: { ...outcome.hyper, ...hyper } };
    return { records: context.records({ ...test, set }, [settled], undefined, [train]) };
  },
};
