/** The paper's number beside a result, where one can be compared with the other; else why it stands there alone. */
import { checkArgument } from '../errors';
import type { Outcome, Subject } from '../outcome';
import { isDrawn, paperMetric, paperSize } from './paper-sets';
import { PAPER_RESULTS, type PaperResult } from './paper-tables';

/** What of a record tells whether a number of the paper is its like. */
export interface PaperSubject
  extends Pick<Outcome, 'task' | 'protocol' | 'variant' | 'metric' | 'evaluated' | 'total'>,
    Pick<Subject, 'dataset'> {
  /** `settings`, where it is there, says whether they are the paper's: `PAPER_SETTINGS`. */
  readonly hyper?: Outcome['hyper'];
}

/** What `hyper.settings` says of an evaluation that was run exactly by the paper's protocol. */
export const PAPER_SETTINGS = "the paper's";

/**
 * What the paper prints for this model on the record's task and data set: nothing where the record is of another number of items or of
 * another metric, see `paperDifferences`.
 */
export function paperResult(record: PaperSubject, model: string): PaperResult | undefined {
  checkSubject('paperResult', record);
  checkArgument('paperResult', 'model', model, 'string');
  return paperDifferences(record).length > 0
    ? undefined
    : PAPER_RESULTS.find((row) => row.model === model && isLike(row, record));
}

/** Why the paper's value is not shown beside a result on its data set: a sentence for each reason; none where it is, or there is no value. */
export function paperDifferences(record: PaperSubject): string[] {
  checkSubject('paperDifferences', record);
  if (!PAPER_RESULTS.some((row) => isLike(row, record))) return [];
  const { task, dataset, metric, hyper } = record;
  const settings = hyper?.settings ?? PAPER_SETTINGS;
  const items = paperSize(task, dataset)!;
  const evaluated = isDrawn(dataset) ? record.total : record.evaluated;
  const reported = paperMetric(task, dataset) ?? metric;
  return [
    ...(evaluated === items
      ? []
      : [
          `the paper's ${dataset} has ${items} test items, this result is taken over ${evaluated}; its value is not shown`,
        ]),
    ...(settings === PAPER_SETTINGS
      ? []
      : [`the paper's ${task} on ${dataset} is by its own protocol, this result is not; its value is not shown`]),
    ...(reported === metric
      ? []
      : [`the paper's ${dataset} is ${reported}, this result is ${metric}; its value is not shown`]),
  ];
}

const isLike = (row: PaperResult, { task, dataset, protocol, variant, metric }: PaperSubject): boolean =>
  row.task === task &&
  row.dataset === dataset &&
  (row.protocol === undefined || row.protocol === protocol) &&
  (row.variant === undefined || row.variant === variant) &&
  (row.metric === undefined || row.metric === metric);

function checkSubject(what: string, record: PaperSubject): void {
  checkArgument(what, 'record', record, 'object');
  for (const name of ['task', 'dataset', 'metric'] as const)
    checkArgument(what, `record.${name}`, record[name], 'string');
  for (const name of ['evaluated', 'total'] as const) checkArgument(what, `record.${name}`, record[name], 'number');
}
