/** Results of correspondence as tables: bins beside sizes, classes. */
import type { EvalRecord } from '@franca/evals';
import type { ReportTable } from '@franca/viz';

const percent = (share: number | null | undefined): string | undefined =>
  share === null || share === undefined ? undefined : (100 * share).toFixed(2);

/** One row for each bin and size. */
export function binTable(records: readonly EvalRecord[]): ReportTable {
  const others = ['PCK@0.05', 'PCK@0.1', 'PCK@0.15', 'PCK@0.1 per pair', 'recall of a random cell'];
  return {
    caption: 'key points found, %',
    columns: ['viewpoint, size', 'pairs', 'key points', 'recall@0.10', ...others.slice(0, -1), 'by chance'],
    rows: records.map((record) => [
      record.variant,
      record.evaluated,
      Number(record.hyper.keyPoints),
      percent(record.value),
      ...others.map((name) => percent(record.others[name])),
    ]),
  };
}

/** Recall of each class in all pairs, one column for each size. */
export function categoryTable(records: readonly EvalRecord[], classes: readonly string[]): ReportTable {
  const all = records.filter(({ variant }) => variant.startsWith('all'));
  return {
    caption: 'recall@0.10 of each class, %',
    columns: ['class', ...all.map(({ variant }) => variant)],
    rows: classes.map((name, c) => [name, ...all.map(({ perClass }) => percent(perClass[c]))]),
  };
}
