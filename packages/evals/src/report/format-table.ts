/**
 * Results as a table for a terminal, one line per record. It shows value, the paper's value where task and data set are
 * the paper's, items evaluated of all, what was chosen on what. What is the same for several records stands once above
 * the table, notes below it; a column that no record has anything for is left out.
 */
import type { OptionKinds } from '@franca/tensor';
import Table from 'cli-table3';
import { checkArgument, checkOptions } from '../errors';
import type { EvalRecord } from '../outcome';
import { paperResult } from './paper-results';

export interface TableOptions {
  /** Models of the paper to show beside the results, by their names in `PAPER_RESULTS`. Default Franca-B and DINOv2-B. */
  readonly models?: readonly string[];
  /** Largest number of further values listed per result; default 2. */
  readonly others?: number;
  /** Width of the terminal, at which lines are cut; default: they are as long as they are. */
  readonly columns?: number;
}

const OPTIONS: OptionKinds<TableOptions> = { models: 'strings', others: 'number', columns: 'number' };

interface Column {
  readonly head: string;
  readonly cell: (record: EvalRecord) => string;
}

/** `records` as a table for a terminal. */
export function formatTable(records: readonly EvalRecord[], options: TableOptions = {}): string {
  checkArgument('formatTable', 'records', records, 'list');
  checkOptions('formatTable', options, OPTIONS);
  const { models = ['Franca-B', 'DINOv2-B'], others = 2, columns = Number.POSITIVE_INFINITY } = options;
  const filled = [...RESULTS, ...models.map(paperColumn), ...circumstances(others)].filter(({ cell }) =>
    records.some((record) => cell(record) !== ''),
  );
  const isShared = ({ head, cell }: Column): boolean =>
    records.length > 1 && LIFTABLE.has(head) && new Set(records.map(cell)).size === 1;
  const shared = filled.filter(isShared).map(({ head, cell }) => `${head}: ${cell(records[0]!)}`);
  const own = filled.filter((column) => !isShared(column));
  const table = new Table({
    head: own.map(({ head }) => head),
    // Colours would end up in files that the table is piped to.
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
    chars: plain,
  });
  table.push(...records.map((record) => own.map(({ cell }) => cell(record))));
  const lines = [...(shared.length > 0 ? [shared.join(', ')] : []), ...table.toString().split('\n')];
  return [...lines.map((line) => cut(line, columns)), ...notesOf(records)].join('\n');
}

/** The notes of all records, each once and in full: what a number does not promise is never cut. */
function notesOf(records: readonly EvalRecord[]): string[] {
  return [...new Set(records.flatMap(({ notes = [] }) => notes))].map((note) => `note: ${note}`);
}

/** What is read first stands first, as a narrow terminal shows the first columns only. */
const RESULTS: readonly Column[] = [
  { head: 'task', cell: ({ task, quirks }) => (quirks ? `${task} (quirks)` : task) },
  { head: 'variant', cell: ({ variant }) => variant },
  { head: 'value', cell: ({ value, unit }) => formatValue(value, unit) },
  { head: 'metric', cell: ({ metric }) => metric },
  { head: 'features', cell: ({ features }) => features },
];

const paperColumn = (model: string): Column => ({
  head: `paper: ${model}`,
  cell: (record) => {
    const values = paperResult(record, model)?.values ?? [];
    return values.map((value) => value.toFixed(record.unit === 'share' ? 1 : 2)).join(' / ');
  },
});

const circumstances = (others: number): readonly Column[] => [
  {
    head: 'items',
    cell: ({ evaluated, total }) => (evaluated === total ? `${total}` : `${evaluated} of ${total}`),
  },
  { head: 'data set', cell: ({ dataset, split }) => `${dataset} ${split}` },
  { head: 'chosen on', cell: ({ selectedOn }) => selectedOn },
  { head: 'protocol', cell: ({ protocol }) => protocol },
  { head: 'further', cell: (record) => furtherValues(record, others) },
];

const LIFTABLE: ReadonlySet<string> = new Set(['data set', 'chosen on', 'features', 'protocol']);

/** No lines, two spaces between columns. */
const plain = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '' },
  ...{ 'bottom-right': '', left: '', 'left-mid': '', right: '', 'right-mid': '', mid: '', 'mid-mid': '', middle: '  ' },
};

const cut = (line: string, columns: number): string => {
  const text = line.trimEnd();
  return text.length > columns ? `${text.slice(0, columns - 1)}…` : text;
};

function formatValue(value: number, unit: EvalRecord['unit']): string {
  return unit === 'share' ? (100 * value).toFixed(1) : value.toPrecision(4);
}

function furtherValues({ others, unit }: EvalRecord, limit: number): string {
  const entries = Object.entries(others).slice(0, limit);
  return entries.map(([name, value]) => `${name} ${formatValue(value, unit)}`).join(', ');
}
