/** Linear segmentation: one linear layer from patch tokens to classes. */
import { linearSegmentation } from '@franca/evals';
import { numberList, positiveInteger } from '../../options/option-values';
import { probeBatch, type Selection, selectOption } from '../linear-training';
import { collectSegmentation } from '../part';
import {
  bothParts,
  classTable,
  type ScoringOptions,
  scoringOf,
  withOtherMean,
  withScoring,
} from '../segmentation-scoring';
import type { EvalTask } from '../task';

interface Options extends ScoringOptions {
  readonly epochs?: number;
  readonly learningRates?: readonly number[];
  readonly select?: Selection;
  readonly compareAt?: number;
  readonly trainBatch?: number;
}

/** At which the reference takes loss and score. */
const OFFICIAL_SIDE = 100;

const smallMaps = (side: number): string =>
  `linear-seg: loss and score at ${side} x ${side}, the side of the input, in place of ${OFFICIAL_SIDE} x ${OFFICIAL_SIDE}`;

export const task: EvalTask = {
  name: 'linear-seg',
  about: 'linear segmentation, five learning rates (paper Table 4)',
  reads: 'segmentation',
  order: 7,
  options: (command) =>
    withScoring(command)
      .option('--epochs <n>', 'passes over train (default: 25)', positiveInteger)
      .option('--learning-rates <list>', 'tried at once (default: 0.001,0.005,0.01,0.05,0.1)', numberList)
      .option(
        '--compare-at <px>',
        'side at which loss and score are taken (default: 100, at most the side of the input)',
        positiveInteger,
      )
      .option('--train-batch <n>', 'images per step (default: 128, at most an eighth of train)', positiveInteger)
      .addOption(selectOption('rate and epoch are')),
  async run(context, { epochs, learningRates, select, compareAt, trainBatch, ...scoring }: Options) {
    const { train, test } = await bothParts(context);
    const settings = scoringOf(test.set, scoring);
    const features = await collectSegmentation(test);
    // masks are as large as the input: a larger map would hold nothing more
    const side = compareAt ?? Math.min(OFFICIAL_SIDE, features.maskSize[0]);
    const { outcome } = await linearSegmentation(await collectSegmentation(train), features, {
      ...settings,
      backend: context.backend,
      batchSize: trainBatch ?? probeBatch(train.set.length),
      epochs,
      dropAfter: epochs && Math.round(epochs * 0.8),
      learningRates,
      select,
      size: [side, side],
    });
    const notes = compareAt === undefined && side < OFFICIAL_SIDE ? [smallMaps(side)] : [];
    const set = { ...test.set, notes: [...test.set.notes, ...notes] };
    const records = context.records({ ...test, set }, withOtherMean(set, scoring, [outcome]), undefined, [train]);
    return { records, section: { tables: [classTable(test.set, records)] } };
  },
};
