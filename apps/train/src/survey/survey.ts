/** What is known of a data set once it was looked at: facts in order, a table of its parts, pictures, what to do next. */
import { statSync } from 'node:fs';
import { DataError, type FoundBenchmark, findBenchmarks, recogniseBenchmark } from '@franca/data';
import type { ReportTable } from '@franca/viz';
import { TrainError } from '../errors';
import { programCommand } from '../text/program';
import { type ClassCounts, countClasses } from './class-counts';
import { type DataParts, openDataParts, type SurveyOptions } from './data-parts';
import { nextCommands } from './next-commands';
import { type OtherUse, otherUses } from './other-uses';
import { type ShownImage, shownImages } from './shown-images';

export interface Survey {
  readonly spec: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** Of the parts, or of the data sets below a folder. */
  readonly tables: readonly ReportTable[];
  readonly pictures: readonly { readonly part: string; readonly images: readonly ShownImage[] }[];
  readonly notes: readonly string[];
  readonly commands: readonly string[];
}

/**
 * Looks at what a text means.
 * @throws TrainError `usage` where it means nothing
 */
export async function survey(spec: string, options: SurveyOptions = {}): Promise<Survey> {
  const below = await benchmarksBelow(spec);
  if (below.length > 0) return surveyOfMany(spec, below);
  const uses = await otherUses(spec);
  const data = await openDataParts(spec, options).catch((error: unknown) => {
    if (!(error instanceof DataError)) throw error;
    // what holds masks need not be a set of images with classes too
    if (uses.some(({ tasks }) => tasks.length > 0)) return error;
    throw new TrainError('usage', error.message, { cause: error });
  });
  if (data instanceof DataError)
    return {
      spec,
      facts: [['as images', `not recognised: ${data.message}`], ...factsOfUses(uses)],
      tables: [],
      pictures: [],
      notes: uses.flatMap(({ notes }) => notes),
      commands: nextCommands(spec, undefined, uses),
    };
  try {
    return await surveyOfOne(spec, data, uses);
  } finally {
    await data.close();
  }
}

/** Published data sets in a folder that is none itself. */
async function benchmarksBelow(spec: string): Promise<readonly FoundBenchmark[]> {
  if (!statSync(spec, { throwIfNoEntry: false })?.isDirectory()) return [];
  const found = await findBenchmarks(spec);
  // several in one folder are no data set, and the table says which
  const own = found.length > 0 && (await recogniseBenchmark(spec).catch(() => undefined));
  return own ? [] : found;
}

function surveyOfMany(spec: string, found: readonly FoundBenchmark[]): Survey {
  const rows = found.map(({ layout, folder }) => {
    const { name, title, metric, published } = layout.facts;
    const { classes, train, val, test } = published;
    return [name, title, folder, ...[classes, train, val, test].map(counted), metric];
  });
  return {
    spec,
    facts: [
      ['holds', `${found.length} published data ${found.length === 1 ? 'set' : 'sets'}; counts are as published`],
    ],
    tables: [
      {
        columns: ['name', 'title', 'folder', 'classes', 'train', 'val', 'test', 'metric'],
        rows,
      },
    ],
    pictures: [],
    notes: [],
    commands: [
      ...found.map(({ folder }) => programCommand(['data', folder])),
      programCommand(['eval', 'fine-grained', '-w', 'run', '-d', spec]),
    ],
  };
}

async function surveyOfOne(spec: string, data: DataParts, uses: readonly OtherUse[]): Promise<Survey> {
  const { recognised, benchmark, parts } = data;
  const counts = parts.map(({ set }) => countClasses(set));
  const pictures = [];
  for (const part of parts) pictures.push({ part: part.name, images: await shownImages(part) });
  const unlabelled = parts.flatMap(({ set: { whyUnlabelled: why } }) =>
    why === undefined || data.notes.some((note) => note.includes(why)) ? [] : [why],
  );
  const alone = parts.some(({ name }) => name === 'all');
  return {
    spec,
    facts: [
      ['recognised as', `${recognised.kind}: ${recognised.because}`],
      ...(benchmark ? [['published as', `${benchmark.title} (${benchmark.name})`] as const] : []),
      ...(benchmark ? [['metric', benchmark.metric] as const] : []),
      ['classes', classesInWords(data, counts)],
      ...(alone
        ? [['parts', 'none of its own: training holds out a tenth, evaluations ask for --split held-out'] as const]
        : []),
      ...factsOfUses(uses),
    ],
    tables: [partsTable(data, counts)],
    pictures,
    notes: [...new Set([...data.notes, ...unlabelled, ...uses.flatMap(({ notes }) => notes)])],
    commands: nextCommands(spec, data, uses),
  };
}

/** Beside what is not as published. */
const MARK = '*';

const factsOfUses = (uses: readonly OtherUse[]): [string, string][] =>
  uses.map(({ what, says }) => [`with ${what}`, says]);

const counted = (count: number | undefined): string => (count === undefined ? '-' : count.toLocaleString('en-US'));

const NAMED = 5;

function classesInWords({ parts, benchmark }: DataParts, counts: readonly ClassCounts[]): string {
  const [first] = parts;
  const names = first?.set.classes ?? [];
  if (names.length === 0 || counts.every(({ present }) => present === 0)) return 'none';
  const wanted = benchmark?.published.classes;
  const known =
    wanted === undefined || wanted === names.length
      ? counted(names.length)
      : `${names.length} of the published ${wanted} ${MARK}`;
  const more = names.length > NAMED ? ', ...' : '';
  return `${known}: ${names.slice(0, NAMED).join(', ')}${more}`;
}

function partsTable({ parts, benchmark }: DataParts, counts: readonly ClassCounts[]): ReportTable {
  const rows = parts.map(({ name, set, published }, at) => {
    const { present, least, most, without } = counts[at]!;
    const differs = published !== undefined && published !== set.length ? ` ${MARK}` : '';
    const perClass = present === 0 ? '-' : least === most ? counted(most) : `${counted(least)} to ${counted(most)}`;
    const row = [name, counted(set.length) + differs];
    return [...row, ...(benchmark ? [counted(published)] : []), counted(present), perClass, counted(without)];
  });
  const columns = [
    'part',
    'images',
    ...(benchmark ? ['published'] : []),
    'classes',
    'images of a class',
    'without a class',
  ];
  return { columns, rows };
}
