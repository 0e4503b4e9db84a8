/** A comparison of models as plain data: what the terminal, the page and the files show. */
import { type EvalRecord, PAPER_RESULTS, paperResult } from '@franca/evals';
import { differencesOf, type RowDifference } from './differences';
import { type ComparedModel, modelIndex } from './models';
import { type ComparedRow, rowsOf } from './rows';

export interface PairedRow extends ComparedRow {
  /** One for each model, see `differencesOf`. */
  readonly differences: readonly (RowDifference | undefined)[];
  /** What the paper prints, by its models; none where any result of the row was not made as the paper's. */
  readonly paper: Readonly<Record<string, readonly number[]>>;
}

export interface Comparison {
  readonly models: readonly ComparedModel[];
  /** Which model the others are compared with. */
  readonly against: number;
  readonly rows: readonly PairedRow[];
}

/** @throws TrainError `usage` where `against` is none of the models */
export function compareModels(models: readonly ComparedModel[], against?: string): Comparison {
  const reference = modelIndex(models, against);
  const rows = rowsOf(models).map((row) => ({
    ...row,
    differences: differencesOf(row, reference),
    paper: paperOf(row.cells),
  }));
  return { models, against: reference, rows };
}

/** In the order of the paper's tables. */
const PAPER_MODELS: readonly string[] = [...new Set(PAPER_RESULTS.map(({ model }) => model))];

function paperOf(cells: readonly (EvalRecord | undefined)[]): Record<string, readonly number[]> {
  const there = cells.filter((cell) => cell !== undefined);
  return Object.fromEntries(
    PAPER_MODELS.flatMap((model) => {
      const results = there.map((cell) => paperResult(cell, model));
      return results[0] && results.every(Boolean) ? [[model, results[0].values]] : [];
    }),
  );
}

/** The paper's models that have a value in any of these rows. */
export const paperModels = (rows: readonly PairedRow[]): string[] =>
  PAPER_MODELS.filter((model) => rows.some(({ paper }) => paper[model] !== undefined));

/** How many of the paired differences can be told from 0. */
export function resolvedCount({ rows }: Comparison): {
  readonly paired: number;
  readonly resolved: number;
  readonly all: number;
} {
  const all = rows.flatMap(({ differences }) => differences.filter((each) => each !== undefined));
  const paired = all.filter((each) => each.paired);
  return { all: all.length, paired: paired.length, resolved: paired.filter(({ resolved }) => resolved).length };
}

/** What every table of intervals says of itself. */
export const ABOUT_INTERVALS: string =
  "Differences are in points, with their 95 % intervals, over the same images for both models: of right or wrong answers those of Bonett and Price with the p-value of McNemar's exact " +
  'test, of all else those of a bootstrap over images. Each interval stands for itself: nothing is corrected for how many there are, ' +
  'so of twenty differences that are none about one is resolved all the same. They say what other images of the kind would change, not what another seed of the training would.';
