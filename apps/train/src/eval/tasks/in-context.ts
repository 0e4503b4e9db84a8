/** In-context segmentation (Hummingbird): labels of similar train patches. */
import { resizeBicubic } from '@franca/data';
import { type InContextOptions, type InContextResult, inContextSegmentation, type Outcome } from '@franca/evals';
import { segmentationFigure } from '@franca/viz';
import { type Command, Option } from 'commander';
import { TrainError } from '../../errors';
import { fileList, positiveInteger, positiveNumber, shareList } from '../../options/option-values';
import { type CountProgress, countProgress } from '../../text/count-progress';
import type { EvalContext } from '../context';
import { inContextCost } from '../estimate/costs/in-context';
import { drawnShots, listedShots, meanOfShots, type ShotGroup } from '../low-shot';
import {
  follow,
  type InContextValues,
  learntFrom,
  PAPER_IN_CONTEXT,
  type ProtocolOptions,
  protocolOption,
} from '../paper-protocol';
import type { Parts, SegmentationPart } from '../part';
import { progressFor } from '../progress-file';
import { batchesOf, croppedPasses, onlyOf, type Readable, readable, SEARCH_BYTES } from '../segmentation-features';
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

interface Options extends ScoringOptions, ProtocolOptions, Partial<InContextValues> {
  readonly shots?: readonly number[];
  readonly trainNames?: readonly string[];
}

const withTrain = (command: Command): Command =>
  command
    .option('--memory <n>', 'patches kept of train (default: all)', positiveInteger)
    .option('--passes <n>', 'of random crops over train, in place of its pictures as they are', positiveInteger)
    .option('--shots <list>', 'shares of train, e.g. 1/8,1/64,1/128: the mean over five draws of each', shareList)
    .option(
      '--train-names <files>',
      'learn from the pictures named in a file, or the mean over several, comma-separated',
      fileList,
    );

export const task: EvalTask = {
  name: 'in-context',
  about: 'in-context segmentation by 30 neighbours (Hummingbird, paper Table 4)',
  reads: 'segmentation',
  order: 6,
  rasa: { options: {} },
  inputSize: ({ protocol }) => (protocol === 'paper' ? PAPER_IN_CONTEXT.size : undefined),
  cost: inContextCost,
  options: (command) =>
    withTrain(
      withScoring(command)
        .addOption(
          protocolOption('518 px bilinear, 10,240,000 patches of two passes of random crops, as behind Table 4'),
        )
        .option('--neighbours <k>', 'that vote (default: 30)', positiveInteger)
        .option('--temperature <t>', 'of the votes (default: 0.02)', positiveNumber)
        .addOption(
          new Option('--relabel <how>', 'hungarian renames predictions before scoring, as the reference does').choices([
            'none',
            'hungarian',
          ]),
        ),
    ),
  async run(context, options: Options) {
    const { protocol, shots, trainNames } = options;
    const scoring = underProtocol(options, protocol);
    if (shots && trainNames) throw new TrainError('usage', 'give --shots or --train-names, not both');
    const asked = {
      task: 'in-context',
      protocol,
      paper: PAPER_IN_CONTEXT,
      given: options,
      input: context.input(),
    };
    const followed = follow(asked);
    const { values, look } = followed;
    const parts = await bothParts(context, look);
    const { notes, hyper } = learntFrom(followed, asked.task, parts.train.set);
    const groups = await groupsOf(parts.train, shots, trainNames);
    const search = await searchOf(context, parts, values, scoringOf(parts.test.set, scoring));
    const outcomes: Outcome[] = [];
    let shown: InContextResult | undefined;
    for (const group of groups) {
      const results: InContextResult[] = [];
      for (const { images } of group?.shots ?? [{ images: undefined }]) results.push(await search.run(images));
      shown ??= results[0]!;
      const found = results.map(({ outcome }) => outcome);
      const outcome = group ? meanOfShots(group, found) : found[0]!;
      outcomes.push({ ...outcome, hyper: { ...outcome.hyper, ...hyper, ...search.hyper } });
    }
    const set = { ...parts.test.set, notes: [...parts.test.set.notes, ...notes] };
    const scored = withOtherMean(set, scoring, outcomes);
    const records = context.records({ ...parts.test, set }, scored, undefined, [parts.train]);
    const figure = await predictionsFigure(parts.test, shown!.predicted, search.test);
    return { records, section: { charts: [{ figure }], tables: [classTable(set, records)] } };
  },
};

/** What is evaluated: all of train, or some of it several times. */
async function groupsOf(
  { set }: SegmentationPart,
  shots?: readonly number[],
  files?: readonly string[],
): Promise<(ShotGroup | undefined)[]> {
  if (shots) return drawnShots(set, shots);
  return files ? [await listedShots(set, files)] : [undefined];
}

const SHOWN = 6;

interface Search {
  readonly test: Readable;
  readonly hyper: Outcome['hyper'];
  /** With these images of train, or all of them. */
  run(images: readonly number[] | undefined): Promise<InContextResult>;
}

/** The features of each image are computed once, whichever images of train are searched; random crops are made for each search. */
async function searchOf(
  context: EvalContext,
  { train, test }: Parts<SegmentationPart>,
  { neighbours, temperature, memory, passes, relabel }: Partial<InContextValues>,
  scoring: InContextOptions,
): Promise<Search> {
  const queries = await readable(test);
  const whole = passes ? undefined : await readable(train);
  const settings = {
    ...scoring,
    k: neighbours,
    temperature,
    relabel,
    heldPatches: Math.floor(SEARCH_BYTES / (4 * test.dim)),
  };
  return {
    test: queries,
    hyper: { crops: passes ? `${PAPER_IN_CONTEXT.crops.name}, ${passes} passes` : 'none' },
    async run(images) {
      const all = images ?? Array.from({ length: train.set.length }, (_, index) => index);
      const kept = whole && (images ? onlyOf(whole, new Set(images)) : whole);
      const source = kept ?? croppedPasses(train, all, { recipe: PAPER_IN_CONTEXT.crops, passes: passes! });
      const bound = memory ? { patches: memory, images: all.length * (passes ?? 1) } : undefined;
      const progress = await progressFor(context, 'in-context', {
        parts: [train, test],
        options: { ...settings, passes, memory: bound, images: all },
      });
      const searched = searchProgress(train, all.length);
      return inContextSegmentation(source, queries, {
        ...settings,
        ...{ backend: context.backend, predictions: SHOWN, memory: bound, progress },
        onSearched: kept && searched.update,
      }).finally(searched.end);
    },
  };
}

/** How far train is searched; crops have a line of their own. */
function searchProgress({ set }: SegmentationPart, images: number) {
  let progress: CountProgress | undefined;
  return {
    end: (): void => progress?.end(),
    update(done: number): void {
      progress ??= countProgress(`search of ${set.dataset} ${set.split}`);
      progress.update(done, images, false);
    },
  };
}

/** The first test images with what was predicted and what is there. */
async function predictionsFigure({ set }: SegmentationPart, predicted: readonly Int32Array[], test: Readable) {
  const items = [];
  for await (const { images, masks, maskSize } of batchesOf(test)) {
    const [size] = maskSize;
    for (const [i, index] of images.entries()) {
      if (items.length === predicted.length) break;
      const truth = masks.subarray(i * size * size, (i + 1) * size * size);
      items.push({
        image: resizeBicubic(await set.read(index), size, size),
        maps: [
          { labels: predicted[items.length]!, grid: maskSize },
          { labels: truth, grid: maskSize },
        ],
      });
    }
    if (items.length === predicted.length) break;
  }
  return segmentationFigure(items, { columns: ['predicted', 'labelled'], classes: set.classes });
}
