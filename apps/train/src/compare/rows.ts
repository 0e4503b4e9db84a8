/**
 * Results of several models side by side: a row for each evaluation on a part of a data set, with what differs in how its results came about. Results that
 * were not made alike stand in one row only with a note that says in what.
 */
import type { EvalRecord, Json } from '@franca/evals';
import { type ComparedModel, rowKey } from './models';

export interface ComparedRow
  extends Pick<EvalRecord, 'task' | 'protocol' | 'variant' | 'metric' | 'dataset' | 'split' | 'unit'> {
  /** One for each model; undefined where it has none. */
  readonly cells: readonly (EvalRecord | undefined)[];
  /** Which of them are best; none where less is not better and more is not either. */
  readonly best: readonly number[];
  /** What differs between results, in words. */
  readonly notes: readonly string[];
}

/** In the order of the first model that has them. Several results of one kind in one model (other sizes, other settings) are rows of their own. */
export function rowsOf(models: readonly ComparedModel[]): ComparedRow[] {
  const groups = new Map<string, (EvalRecord | undefined)[]>();
  for (const [column, { records }] of models.entries()) {
    const seen = new Map<string, number>();
    for (const record of records) {
      const key = rowKey(record);
      const times = seen.get(key) ?? 0;
      seen.set(key, times + 1);
      const name = JSON.stringify([key, times]);
      const cells = groups.get(name) ?? models.map(() => undefined);
      cells[column] = record;
      groups.set(name, cells);
    }
  }
  return joinOwnVariants([...groups.values()]).map((cells) => {
    const there = cells.filter((cell) => cell !== undefined);
    const { task, protocol, metric, dataset, split, unit } = there[0]!;
    const variant = joinedNames([...new Set(there.map((cell) => cell.variant))]);
    const row = { task, protocol, variant, metric, dataset, split, unit, cells };
    return { ...row, best: bestOf(task, cells), notes: settingNotes(cells, models) };
  });
}

/** What of a variant follows from the model: the number of its last block, the side of its input. */
const OWN_VARIANT: Readonly<Record<string, RegExp>> = {
  'object-discovery': /(?<=block )\d+|(?<=head )\d+/g,
  correspondence: /(low|high|\d+ px)$/g,
};

/**
 * Results that some models lack because a model's depth or side is in their variant stand beside those that take the same place in the other models: all the
 * variants are in the row's name.
 */
function joinOwnVariants(groups: readonly (readonly (EvalRecord | undefined)[])[]): (EvalRecord | undefined)[][] {
  const joined: { readonly key: string | undefined; readonly cells: (EvalRecord | undefined)[] }[] = [];
  for (const group of groups) {
    const first = group.find((cell) => cell !== undefined)!;
    const pattern = OWN_VARIANT[first.task];
    const key = pattern && rowKey({ ...first, variant: first.variant.replaceAll(pattern, '') });
    const host = joined.find((row) => key && row.key === key && !group.some((cell, i) => cell && row.cells[i]));
    if (!host) joined.push({ key, cells: [...group] });
    else for (const [i, cell] of group.entries()) host.cells[i] ??= cell;
  }
  return joined.map(({ cells }) => cells);
}

/** `keys of block 11 / 3`: what names have in common at their beginning once. */
function joinedNames(names: readonly string[]): string {
  const words = names.map((name) => name.split(' '));
  const shortest = words.reduce((least, { length }) => Math.min(least, length - 1), words[0]!.length);
  let common = 0;
  while (common < shortest && words.every((each) => each[common] === words[0]![common])) common++;
  return [...words[0]!.slice(0, common), words.map((each) => each.slice(common).join(' ')).join(' / ')].join(' ');
}

/** Tasks whose number is better where it is less, and those where neither way is better. */
const LESS: ReadonlySet<string> = new Set(['position-decodability', 'depth']);
const NEITHER: ReadonlySet<string> = new Set(['position-entropy', 'mask-coverage']);

function bestOf(task: string, cells: ComparedRow['cells']): number[] {
  const values = cells.map((cell) => cell?.value);
  const there = values.filter((value) => value !== undefined);
  if (NEITHER.has(task) || there.length < 2) return [];
  const best = LESS.has(task) ? Math.min(...there) : Math.max(...there);
  return values.flatMap((value, i) => (value === best ? [i] : []));
}

/** What an evaluation chose or found by itself, and where it ran: no setting of it. */
const FOUND: ReadonlySet<string> = new Set([
  'backend',
  'c',
  'classifier',
  'baseLearningRate',
  'objective',
  'gradient',
  'converged',
  'learningRate',
  'epoch',
]);

/** The best k of several was found; so were the iterations of what goes on until it converges. */
const isSetting = (name: string, { hyper }: EvalRecord): boolean =>
  !(FOUND.has(name) || (name === 'k' && 'ks' in hyper) || (name === 'iterations' && 'converged' in hyper));

/** Everything in which the results of a row differ beside their values: `trainItems 1000, of B 800`. */
function settingNotes(cells: ComparedRow['cells'], models: readonly ComparedModel[]): string[] {
  const settings = cells.map((cell) => cell && settingsOf(cell));
  const names = [...new Set(settings.flatMap((of) => (of ? [...of.keys()] : [])))];
  return names.flatMap((name) => {
    const values = new Map<string, string[]>();
    for (const [i, of] of settings.entries()) {
      if (!of) continue;
      const text = of.get(name) ?? 'none';
      values.set(text, [...(values.get(text) ?? []), models[i]!.name]);
    }
    if (values.size < 2) return [];
    return [`${name}: ${[...values].map(([text, of]) => `${text} (${of.join(', ')})`).join('; ')}`];
  });
}

function settingsOf(record: EvalRecord): Map<string, string> {
  const { preprocessing, evaluated, total, selectedOn, seeds, quirks, hyper } = record;
  const told: Record<string, Json> = {
    input: preprocessing,
    items: evaluated === total ? `${total}` : `${evaluated} of ${total}`,
    'chosen on': selectedOn,
    seeds,
    quirks,
    ...Object.fromEntries(Object.entries(hyper).filter(([name]) => isSetting(name, record))),
  };
  return new Map(Object.entries(told).map(([name, value]) => [name, textOf(value)]));
}

/** A setting in a few characters. */
function textOf(value: Json): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.length > 6) return `${value.length} values from ${value[0]} to ${value.at(-1)}`;
  return Array.isArray(value) ? (value.length === 0 ? 'none' : value.join(' ')) : JSON.stringify(value);
}

/** The name of a row's evaluation: with its protocol where another row of the task has another. */
export function titleOf(row: ComparedRow, rows: readonly ComparedRow[]): string {
  const others = rows.some(({ task, protocol }) => task === row.task && protocol !== row.protocol);
  return [row.task, ...(others ? [row.protocol] : []), ...(row.variant ? [row.variant] : [])].join(', ');
}

/** A value as its tables print it. */
export const valueText = (value: number, unit: EvalRecord['unit']): string =>
  unit === 'share' ? (100 * value).toFixed(1) : value.toPrecision(4);
