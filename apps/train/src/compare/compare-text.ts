/** A comparison for the terminal: values side by side, then every difference with its interval, then what is to be known of both. */
import { type Comparison, type PairedRow, paperModels, resolvedCount } from './comparison';
import { differenceText } from './differences';
import { titleOf, valueText } from './rows';

/** @param width of the terminal, at which lines of tables are cut; undefined: they are as long as they are */
export function comparisonText(comparison: Comparison, width?: number): string {
  const { models, against, rows } = comparison;
  const paper = paperModels(rows);
  const values = [
    ['task', 'metric', 'data set', ...models.map(({ name }) => name), ...paper.map((name) => `paper: ${name}`)],
    ...rows.map((row) => [
      titleOf(row, rows),
      row.metric,
      `${row.dataset} ${row.split}`,
      ...row.cells.map((cell, i) =>
        cell ? `${valueText(cell.value, row.unit)}${row.best.includes(i) ? '*' : ''}` : '',
      ),
      ...paper.map((name) => row.paper[name]?.map((value) => value.toFixed(1)).join(' / ') ?? ''),
    ]),
  ];
  const differences = rows.flatMap((row) =>
    row.differences.flatMap((found, i) =>
      found
        ? [[titleOf(row, rows), `${row.dataset} ${row.split}`, models[i]!.name, differenceText(found, row.unit)]]
        : [],
    ),
  );
  const cut = (lines: readonly string[]): string[] =>
    lines.map((line) => (width !== undefined && line.length > width ? `${line.slice(0, width - 1)}…` : line));
  return [
    ...cut(inStep(values)),
    '* best of its row',
    ...(differences.length === 0
      ? []
      : [
          '',
          ...cut(inStep([['task', 'data set', 'model', `difference to ${models[against]!.name}`], ...differences])),
          resolvedLine(comparison),
        ]),
    ...notesOf(comparison),
  ].join('\n');
}

/** How many of the differences can be told from 0, and that each interval stands for itself. */
export function resolvedLine(comparison: Comparison): string {
  const { all, paired, resolved } = resolvedCount(comparison);
  return (
    `${resolved} of ${all} differences are resolved, ${paired - resolved} are not, ${all - paired} are not paired ` +
    '(95 % intervals over the same images, each for itself)'
  );
}

/** Columns in step, two spaces apart. */
function inStep(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]!.map((_, c) => lines.reduce((most, line) => Math.max(most, line[c]!.length), 0));
  return lines.map((line) =>
    line
      .map((cell, c) => cell.padEnd(widths[c]!))
      .join('  ')
      .trimEnd(),
  );
}

/** What differs within rows, and what the records themselves say; each once. */
export function notesOf({ models, rows }: Comparison): string[] {
  const noted = new Map<string, PairedRow[]>();
  for (const row of rows) for (const note of row.notes) noted.set(note, [...(noted.get(note) ?? []), row]);
  const settings = [...noted].map(([note, of]) => `differs in ${some(placesOf(of, rows))}: ${note}`);
  const own = models.flatMap(({ name, records }) =>
    [...new Set(records.flatMap(({ notes = [] }) => notes))].map((note) => `${name}: ${note}`),
  );
  return [...settings, ...own].map((note) => `note: ${note}`);
}

/** Names of tasks all of whose rows these are, and of single rows. */
function placesOf(of: readonly PairedRow[], rows: readonly PairedRow[]): string[] {
  const places = of.map((row) => {
    const task = rows.filter(({ task }) => task === row.task);
    return task.every((each) => of.includes(each)) ? row.task : titleOf(row, rows);
  });
  return [...new Set(places)];
}

const some = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join('; ')} and ${names.length - 3} more` : names.join('; ');
