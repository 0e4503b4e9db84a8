/** How segmentation tasks are scored: the options that they share, and the IoU of each class as a table. */
import type { EvalRecord, Outcome, SegmentationScoring } from '@franca/evals';
import type { ReportTable } from '@franca/viz';
import { type Command, Option } from 'commander';
import { TrainError } from '../errors';
import type { ImageSet } from '../image-sets/image-set';
import { some } from '../image-sets/judge-masks';
import type { DenseLook } from '../image-sets/preparation';
import { indexList } from '../options/option-values';
import type { EvalContext } from './context';
import type { Parts, SegmentationPart } from './part';

export interface ScoringOptions {
  readonly classes?: readonly number[];
  readonly absent?: 'zero' | 'skip';
  /** How a class enters the mean whose pixels are not scored, as those of ADE20K's "unlabelled"; default `skip`. */
  readonly unscored?: 'zero' | 'skip';
}

export const withScoring = (command: Command): Command =>
  command
    .option(
      '--classes <list>',
      'values of the classes that the mean is taken over (default: all that are scored)',
      indexList,
    )
    .addOption(
      new Option('--absent <how>', 'how a class counts that is neither there nor predicted (default: zero)').choices([
        'zero',
        'skip',
      ]),
    )
    .addOption(
      new Option(
        '--unscored <how>',
        "how a class counts whose pixels are not scored, as that of value 0 in ADE20K; zero is the published protocols' (default: skip)",
      ).choices(['zero', 'skip']),
    );

/** The published protocols count a class whose pixels are not scored as 0, where nothing else is asked for. */
export const underProtocol = (scoring: ScoringOptions, protocol: 'paper' | undefined): ScoringOptions =>
  protocol && scoring.unscored === undefined ? { ...scoring, unscored: 'zero' } : scoring;

/** @throws TrainError `usage` where `--classes` names what is no class, or one twice */
export function scoringOf(
  { dataset, classes: names, ignore }: Pick<ImageSet, 'dataset' | 'classes' | 'ignore'>,
  { classes, absent, unscored = 'skip' }: ScoringOptions,
): SegmentationScoring {
  const odd = classes?.find((c, at) => c >= names.length || classes.indexOf(c) !== at);
  if (odd !== undefined)
    throw new TrainError(
      'usage',
      odd < names.length
        ? `--classes has ${odd} twice`
        : `--classes ${odd} is no class of ${dataset}; they are 0 to ${names.length - 1}`,
    );
  const others = scoredClasses(names, ignore);
  const all = unscored === 'zero' || others.length === names.length ? undefined : others;
  return { classes: names.length, ignore, absent, averageOver: classes ?? all };
}

/** Classes whose pixels are scored. */
const scoredClasses = (names: readonly string[], ignore: number | undefined): number[] =>
  names.map((_, c) => c).filter((c) => c !== ignore);

/**
 * Outcomes with the mean beside them that counts a class whose pixels are not scored the other way: of ADE20K over 151 classes, of which
 * "unlabelled" is 0, as in the published protocols, or over the 150 others.
 */
export function withOtherMean(
  { classes: names, ignore }: ImageSet,
  { classes, absent = 'zero' }: ScoringOptions,
  outcomes: readonly Outcome[],
): Outcome[] {
  const scored = scoredClasses(names, ignore).length;
  if (classes || absent === 'skip' || scored === names.length) return [...outcomes];
  return outcomes.map((outcome) => {
    const over = outcome.hyper.averageOver === 'all' ? names.length : scored;
    const other = over === scored ? names.length : scored;
    return {
      ...outcome,
      others: { ...outcome.others, [`mIoU over ${other} classes`]: (outcome.value * over) / other },
    };
  });
}

/**
 * Both parts of data with masks. Classes that are to be predicted but have no pixel in train are told.
 * @throws TrainError `data` as `context.segmentation`, or where the parts have no class in common
 */
export async function bothParts(context: EvalContext, look?: DenseLook): Promise<Parts<SegmentationPart>> {
  const train = await context.segmentation('train', look);
  const test = await context.segmentation('test', look);
  const { dataset, split, classes, notes } = test.set;
  const there = classes.filter((_, c) => test.occurs[c]);
  const missed = classes.filter((_, c) => test.occurs[c] && !train.occurs[c]);
  if (missed.length === 0) return { train, test };
  if (missed.length === there.length)
    throw new TrainError(
      'data',
      `no class of the masks of ${dataset} ${split} (${some(there)}) occurs in those of ${train.set.split}; nothing could be predicted`,
    );
  const note = `${missed.length} of ${there.length} classes in ${dataset} ${split} have no pixel in ${train.set.split} and cannot be predicted: ${some(missed)}`;
  return { train, test: { ...test, set: { ...test.set, notes: [...notes, note] } } };
}

/** IoU in percent, one row per class that occurs or is predicted. */
export function classTable({ classes }: ImageSet, records: readonly EvalRecord[]): ReportTable {
  const rows = classes
    .map((name, c) => [name, ...records.map(({ perClass }) => perClass[c] ?? undefined)] as const)
    .filter(([, ...values]) => values.some((value) => value !== undefined));
  return {
    caption: 'IoU of each class, %',
    columns: ['class', ...records.map(({ variant, metric }) => variant || metric)],
    rows: rows.map(([name, ...values]) => [
      name,
      ...values.map((value) => (value === undefined ? undefined : 100 * value)),
    ]),
  };
}
