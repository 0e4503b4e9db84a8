/** How segmentation tasks are scored: the options that they share, and the IoU of each class as a table. */
import type { EvalRecord, SegmentationScoring } from '@franca/evals';
import type { ReportTable } from '@franca/viz';
import { type Command, Option } from 'commander';
import type { ImageSet } from '../image-sets/image-set';
import { indexList } from '../options/option-values';

export interface ScoringOptions {
  readonly classes?: readonly number[];
  readonly absent?: 'zero' | 'skip';
}

export const withScoring = (command: Command): Command =>
  command
    .option('--classes <list>', 'values of the classes that the mean is taken over (default: all)', indexList)
    .addOption(
      new Option('--absent <how>', 'how a class counts that is neither there nor predicted (default: zero)').choices([
        'zero',
        'skip',
      ]),
    );

export const scoringOf = (
  { classes: names, ignore }: ImageSet,
  { classes, absent }: ScoringOptions,
): SegmentationScoring => ({
  classes: names.length,
  ignore,
  absent,
  averageOver: classes,
});

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
