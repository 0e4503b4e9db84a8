/** What a cache of features holds, in words, and which of it a name means. */
import type { DescribedSeries } from '@franca/evals/node';
import { TrainError } from '../errors';
import { amountOfBytes } from '../text/amounts';
import { day, seriesName } from './cache-options';

/** So much of the name of a series as tells it from others in practice. */
const ID_LENGTH = 8;

/** What is held of each data set by each model, a line for each kind of output. */
export function listText(all: readonly DescribedSeries[]): string[] {
  const headings = new Map<string, DescribedSeries[]>();
  for (const series of all) {
    const heading = headingOf(series);
    headings.set(heading, [...(headings.get(heading) ?? []), series]);
  }
  return [...headings]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([heading, list]) => [heading, ...linesOf(list), '']);
}

/** Bytes of all series. */
export const bytesOfAll = (all: readonly DescribedSeries[]): number => all.reduce((sum, { bytes }) => sum + bytes, 0);

function headingOf({ names }: DescribedSeries): string {
  const { model, data } = names ?? {};
  return data === undefined ? 'features of earlier versions, which no command reads any more' : `${data}, ${model}`;
}

/** A line for each kind of output; of several choices of images, as the pictures of each class of pairs, one for all. */
function linesOf(list: readonly DescribedSeries[]): string[] {
  const kinds = new Map<string, DescribedSeries[]>();
  for (const series of list) {
    const { outputs = '', preprocessing = '', floats = 'f32' } = series.key ?? {};
    const kind = JSON.stringify([outputs && `${outputs} (${preprocessing})`, floats]);
    kinds.set(kind, [...(kinds.get(kind) ?? []), series]);
  }
  const rows = [...kinds]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, choices]) => rowOf(JSON.parse(kind), choices));
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd());
}

function rowOf([outputs, floats]: readonly [string, string], choices: readonly DescribedSeries[]): string[] {
  const sum = (count: (series: DescribedSeries) => number): number =>
    choices.reduce((total, series) => total + count(series), 0);
  const lastUsed = new Date(Math.max(...choices.map((series) => series.lastUsed.getTime())));
  return [
    choices.length > 1 ? `${choices.length} choices` : choices[0]!.id.slice(0, ID_LENGTH),
    outputs,
    outputs && `${sum(({ items }) => items)} of ${sum(({ names }) => names?.items ?? 0)}`,
    amountOfBytes(bytesOfAll(choices)),
    floats,
    choices.some(({ inUse }) => inUse) ? 'in use' : day(lastUsed),
  ];
}

/**
 * The series that names mean: the beginning of an id, a model, a data set, or one of its parts.
 * @throws TrainError `usage` for a name of nothing
 */
export function seriesCalled(all: readonly DescribedSeries[], names: readonly string[]): DescribedSeries[] {
  const called = (name: string) => (series: DescribedSeries) => {
    const { model, data = '' } = series.names ?? {};
    const isId = name.length >= 3 && series.id.startsWith(name);
    return isId || model === name || data === name || data.startsWith(`${name} `);
  };
  for (const name of names)
    if (!all.some(called(name)))
      throw new TrainError(
        'usage',
        `nothing in the cache is called ${name}; give an id, a model or a data set as franca-train cache lists them`,
      );
  return all.filter((series) => names.some((name) => called(name)(series)));
}

/** What is about to be removed. */
export const removalText = (chosen: readonly DescribedSeries[]): string[] =>
  chosen.map((series) => `  ${series.id.slice(0, ID_LENGTH)}  ${seriesName(series)}, ${amountOfBytes(series.bytes)}`);
