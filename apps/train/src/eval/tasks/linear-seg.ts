/** Linear segmentation: one linear layer from patch tokens to classes. */
import { linearSegmentation } from '@franca/evals';
import { TrainError } from '../../errors';
import { numberList, positiveInteger } from '../../options/option-values';
import { countProgress } from '../../text/count-progress';
import { probeBatch, selectOption } from '../linear-training';
import {
  follow,
  type LinearSegValues,
  learntFrom,
  PAPER_LINEAR_SEG,
  type ProtocolOptions,
  protocolOption,
} from '../paper-protocol';
import { progressFor } from '../progress-file';
import { croppedEpochs, learnable, readable } from '../segmentation-features';
import {
  bothParts,
  classTable,
  type ScoringOptions,
  scoringOf,
  underProtocol,
  withOtherMean,
  withScoring,
} from '../segmentation-scoring';
import type { EvalTask } from '../task';

interface Options extends ScoringOptions, ProtocolOptions, Partial<LinearSegValues> {}

/** At which the reference takes loss and score. */
const OFFICIAL_SIDE = 100;

const smallMaps = (side: number): string =>
  `linear-seg: loss and score at ${side} x ${side}, the side of the input, in place of ${OFFICIAL_SIDE} x ${OFFICIAL_SIDE}`;

export const task: EvalTask = {
  name: 'linear-seg',
  about: 'linear segmentation, five learning rates (paper Table 4)',
  reads: 'segmentation',
  order: 7,
  rasa: { options: {} },
  inputSize: ({ protocol }) => (protocol === 'paper' ? PAPER_LINEAR_SEG.size : undefined),
  options: (command) =>
    withScoring(command)
      .addOption(
        protocolOption('448 px bilinear, random crops and flips, batches of 128, chosen on test, as behind Table 4'),
      )
      .option('--epochs <n>', 'passes over train (default: 25)', positiveInteger)
      .option('--learning-rates <list>', 'tried at once (default: 0.001,0.005,0.01,0.05,0.1)', numberList)
      .option(
        '--compare-at <px>',
        'side at which loss and score are taken (default: 100, at most the side of the input)',
        positiveInteger,
      )
      .option('--train-batch <n>', 'images per step (default: 128, at most an eighth of train)', positiveInteger)
      .option('--augment', 'random crops and flips of train, drawn anew for each epoch; needs --select test')
      .option('--no-augment', 'train images as they are (default, but for --protocol paper)')
      .addOption(selectOption('rate and epoch are')),
  async run(context, options: Options) {
    const { protocol } = options;
    const scoring = underProtocol(options, protocol);
    const paper = {
      task: 'linear-seg',
      protocol,
      paper: PAPER_LINEAR_SEG,
      given: options,
      input: context.input(),
    };
    const followed = follow(paper);
    const { values, look } = followed;
    const { epochs, learningRates, select, compareAt, trainBatch, augment = false } = values;
    if (augment && select !== 'test')
      throw new TrainError(
        'usage',
        'random crops leave nothing of train to choose rate and epoch on; give --select test, or --no-augment',
      );
    const { train, test } = await bothParts(context, look);
    const { notes: told, hyper } = learntFrom(followed, paper.task, train.set);
    const batchSize = trainBatch ?? probeBatch(train.set.length);
    const side = compareAt ?? Math.min(OFFICIAL_SIDE, context.input().size);
    const settings = {
      ...scoringOf(test.set, scoring),
      batchSize,
      epochs,
      dropAfter: epochs && Math.round(epochs * 0.8),
      learningRates,
      select,
      size: [side, side] as const,
    };
    const source = augment ? croppedEpochs(train, PAPER_LINEAR_SEG.crops, batchSize) : await learnable(train);
    const pool = 'pool' in source ? source.pool : undefined;
    const progress = await progressFor(context, 'linear-seg', {
      parts: [train, test],
      options: { ...settings, augment, pool },
    });
    const { update, end } = countProgress('linear-seg', { items: 'epochs', unit: 'epochs' });
    const { outcome } = await linearSegmentation(source, await readable(test), {
      ...settings,
      ...{ backend: context.backend, progress },
      onEpoch: (done, all) => update(done, all, false),
    });
    end();
    const small = compareAt === undefined && side < OFFICIAL_SIDE ? [smallMaps(side)] : [];
    const set = { ...test.set, notes: [...test.set.notes, ...told, ...small] };
    const crops = augment ? PAPER_LINEAR_SEG.crops.name : 'none';
    const scored = withOtherMean(set, scoring, [{ ...outcome, hyper: { ...outcome.hyper, ...hyper, crops } }]);
    const records = context.records({ ...test, set }, scored, undefined, [train]);
    return { records, section: { tables: [classTable(test.set, records)] } };
  },
};
