/** What evaluations end in: a printed table, a JSON file of records, one HTML page. */
import { writeFileAtomic } from '@franca/checkpoint';
import { type EvalRecord, paperResult } from '@franca/evals';
import { formatTable } from '@franca/evals/node';
import { htmlReport, type ReportSection, type ReportTable } from '@franca/viz';
import { duration } from '../text/amounts';
import { glance } from './glance';

export interface EvalResults {
  readonly model: string;
  readonly records: readonly EvalRecord[];
  readonly sections: readonly ReportSection[];
  /** Of the same model untrained; absent where only one evaluation was asked for. */
  readonly control?: readonly EvalRecord[];
}

/** For standard output: as wide as the terminal, or, in a file, as it is. */
export const resultsTable = ({ records }: EvalResults): string =>
  formatTable(records, {
    models: PAPER_MODELS,
    ...(records.length > 1 && records.some(({ others }) => Object.keys(others).length > 1) ? { others: 0 } : {}),
    ...(process.stdout.columns ? { columns: process.stdout.columns } : {}),
  });

export const writeJson = (path: string, records: readonly EvalRecord[]): Promise<unknown> =>
  writeFileAtomic(path, (sink) => sink(Buffer.from(`${JSON.stringify(records, null, 2)}\n`)));

/** The same in short, where there is more than one can read: columns in step. */
export function resultsInShort(results: EvalResults): string | undefined {
  if (!results.control) return undefined;
  const { columns, rows } = glance(results);
  const lines = [columns, ...rows].map((row) => row.map((cell) => `${cell ?? ''}`));
  const widths = columns.map((_, c) => Math.max(...lines.map((line) => line[c]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, c) => cell.padEnd(widths[c]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Models of the paper shown beside one's own results where they can be compared; of `Franca` the paper does not state the size. */
export const PAPER_MODELS: readonly string[] = ['Franca-B', 'Franca-L', 'DINOv2-B', 'Franca'];

/** The page: the table of all results, then a part per evaluation, then everything that is needed to repeat them. */
export async function writePage(path: string, results: EvalResults): Promise<void> {
  const { model, records, sections, control } = results;
  const seconds = records.reduce((sum, { wallMs }) => sum + wallMs, 0) / 1000;
  const notices = noticesOf(records);
  const html = htmlReport({
    title: `Evaluation of ${model}`,
    facts: [
      { label: 'results', value: records.length },
      { label: 'time of evaluations', value: duration(seconds) },
    ],
    sections: [
      ...(control ? [{ title: 'In short', tables: [glance(results)] }] : []),
      { title: 'Results', tables: [resultRows(records, model)] },
      ...(notices.length > 0 ? [{ title: 'Notes', notices }] : []),
      ...sections,
      {
        title: 'Records',
        text: 'The results of single images are in the file of --json only.',
        details: [
          { summary: 'as JSON', text: JSON.stringify([...records, ...(control ?? [])].map(withoutItems), null, 2) },
        ],
      },
    ],
  });
  await writeFileAtomic(path, (sink) => sink(Buffer.from(html)));
}

/** Of tens of thousands of images they would be most of the page. */
const withoutItems = ({ items, ...record }: EvalRecord) => ({
  ...record,
  ...(items && { items: { ...items, data: 'left out of this page' } }),
});

/** What was assumed or left out, each once. */
const noticesOf = (records: readonly EvalRecord[]): NonNullable<ReportSection['notices']> =>
  [...new Set(records.flatMap(({ notes = [] }) => notes))].map((text) => ({ kind: 'warning', text }));

/** What is read first stands first: a page may be narrower than the table. */
function resultRows(records: readonly EvalRecord[], name: string): ReportTable {
  const models = PAPER_MODELS.filter((model) => records.some((record) => paperResult(record, model)));
  // masks are drawn without a model
  const differ = records.some(({ features }) => features !== name && features !== 'none');
  return {
    columns: [
      'task',
      'variant',
      'metric',
      'value',
      ...(differ ? ['features'] : []),
      ...models.map((model) => `paper: ${model}`),
      'data set',
      'items',
      'chosen on',
    ],
    rows: records.map((record) => [
      `${record.task}${methodOf(record, records)}${record.quirks ? ' (quirks)' : ''}`,
      record.variant,
      record.unit === 'share' ? `${record.metric}, %` : record.metric,
      record.unit === 'share' ? (100 * record.value).toFixed(1) : record.value.toPrecision(4),
      ...(differ ? [whatDiffers(record.features, name)] : []),
      ...models.map((model) => paperResult(record, model)?.values.join(' / ')),
      `${record.dataset} ${record.split}`,
      record.evaluated === record.total ? `${record.total}` : `${record.evaluated} of ${record.total}`,
      record.selectedOn,
    ]),
  };
}

/** Of `model + RASA 4` what comes after the name of the model, which is that of the page. */
const whatDiffers = (features: string, model: string): string =>
  features.startsWith(model) ? features.slice(model.length).trim() : features;

/** The protocol, where several of a task stand in one table. */
const methodOf = ({ task, protocol }: EvalRecord, records: readonly EvalRecord[]): string =>
  records.some((other) => other.task === task && other.protocol !== protocol) ? `: ${protocol}` : '';
