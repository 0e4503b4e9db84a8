import Table from 'cli-table3';
import type { EvalRecord } from '../outcome';
import { paperResult } from './paper-results';

export type TableOptions = {
  /** Models of the paper to show beside the results, by their names in `paperResults`. Default Franca-B and DINOv2-B. */
  readonly models?: readonly string[];
  /** Largest number of further values listed per result; default 2. */
  readonly others?: number;
};

/**
 * Results as a table for a terminal, one row per record: value, items evaluated of all, what was chosen on what, and the
 * paper's value where task and data set are the paper's. Columns of the paper appear only when one row has such a value.
 */
export function formatTable(records: readonly EvalRecord[], options: TableOptions = {}): string {
  const { models = ['Franca-B', 'DINOv2-B'], others = 2 } = options;
  const shown = models.filter((model) => records.some((record) => paperResult(record, model)));
  const table = new Table({
    head: [
      'task',
      'protocol',
      'data set',
      'features',
      'metric',
      'value',
      'further',
      'items',
      'chosen on',
      ...shown.map((m) => `paper: ${m}`),
    ],
    // Colours would end up in files that the table is piped to.
    style: { head: [], border: [] },
  });
  for (const record of records) {
    table.push([
      record.quirks ? `${record.task} (quirks)` : record.task,
      record.variant ? `${record.protocol}\n${record.variant}` : record.protocol,
      `${record.dataset} ${record.split}`,
      record.features,
      record.metric,
      formatValue(record.value, record.unit),
      furtherValues(record, others),
      record.evaluated === record.total ? `${record.total}` : `${record.evaluated} of ${record.total}`,
      record.selectedOn,
      ...shown.map(
        (model) =>
          paperResult(record, model)
            ?.values.map((value) => value.toFixed(1))
            .join(' / ') ?? '',
      ),
    ]);
  }
  return table.toString();
}

function formatValue(value: number, unit: EvalRecord['unit']): string {
  return unit === 'share' ? (100 * value).toFixed(1) : value.toPrecision(4);
}

function furtherValues({ others, unit }: EvalRecord, limit: number): string {
  const entries = Object.entries(others).slice(0, limit);
  return entries.map(([name, value]) => `${name} ${formatValue(value, unit)}`).join('\n');
}
