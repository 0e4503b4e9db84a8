/** A comparison as files for other programs: JSON with everything, CSV with a line for each result. */
import { writeFileAtomic } from '@franca/checkpoint';
import type { Comparison } from './comparison';
import type { ComparedRow } from './rows';

const write = (path: string, text: string): Promise<unknown> =>
  writeFileAtomic(path, (sink) => sink(Buffer.from(text)));

/** Values and differences by the names of the models. */
export function writeComparisonJson(path: string, { models, against, rows }: Comparison): Promise<unknown> {
  const byModel = <Value>(values: readonly (Value | undefined)[]) =>
    Object.fromEntries(models.flatMap(({ name }, i) => (values[i] === undefined ? [] : [[name, values[i]]])));
  const json = {
    models: models.map(({ name, features, files }) => ({ name, features, files })),
    against: models[against]!.name,
    rows: rows.map(({ cells, best, differences, ...row }) => ({
      ...row,
      values: byModel(cells.map((cell) => cell?.value)),
      best: best.map((i) => models[i]!.name),
      differences: byModel(differences),
    })),
  };
  return write(path, `${JSON.stringify(json, null, 2)}\n`);
}

const ROW = [
  'task',
  'protocol',
  'variant',
  'dataset',
  'split',
  'metric',
] as const satisfies readonly (keyof ComparedRow)[];
const DIFFERENCE = ['difference', 'low', 'high', 'pValue', 'resolved', 'why'] as const;

/** Of a model's difference `against` the other one; empty cells where there is none. */
export function writeComparisonCsv(path: string, { models, against, rows }: Comparison): Promise<unknown> {
  const lines = rows.flatMap((row) =>
    row.cells.flatMap((cell, i) => {
      if (!cell) return [];
      const found: Readonly<Record<string, unknown>> = { ...row.differences[i] };
      return [
        [
          ...ROW.map((name) => row[name]),
          models[i]!.name,
          cell.evaluated,
          cell.value,
          row.differences[i] ? models[against]!.name : '',
          ...DIFFERENCE.map((name) => found[name] ?? ''),
        ],
      ];
    }),
  );
  const head = [...ROW, 'model', 'items', 'value', 'against', ...DIFFERENCE];
  return write(path, [head, ...lines].map((line) => `${line.map((cell) => quoted(`${cell}`)).join(',')}\r\n`).join(''));
}

/** RFC 4180. */
const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
