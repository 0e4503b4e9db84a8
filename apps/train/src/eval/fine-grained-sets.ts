/** Which of the fine-grained data sets lie in a folder, and which are evaluated. */
import { type FoundBenchmark, findBenchmarks } from '@franca/data';
import { FINE_GRAINED } from '@franca/evals';
import { TrainError } from '../errors';

/** Beside the eleven, and not in their average: SimCLR's list has it. */
const VOC_2007 = 'voc-2007';

export const KNOWN_SETS: readonly string[] = [...FINE_GRAINED, VOC_2007];

export interface FoundSets {
  /** What is evaluated, in the order of the paper's columns. */
  readonly sets: readonly FoundBenchmark[];
  /** Of the eleven, what is not there, and what was not asked for. */
  readonly missing: readonly string[];
  readonly unasked: readonly string[];
  /** What else is to be told. */
  readonly notes: readonly string[];
}

/**
 * @param asked some of `KNOWN_SETS`; default all that are there
 * @throws TrainError `data` where none is there, or one that was asked for is not; DataError where the folder cannot be read
 */
export async function findSets(root: string, asked?: readonly string[]): Promise<FoundSets> {
  const found = (await findBenchmarks(root)).filter(({ layout }) => KNOWN_SETS.includes(layout.facts.name));
  const there = KNOWN_SETS.flatMap((name) => found.find(({ layout }) => layout.facts.name === name) ?? []);
  const notes = found
    .filter((each) => !there.includes(each))
    .map(({ layout, folder }) => `${layout.facts.title} lies in ${folder} too, which is passed over`);
  const isAsked = (name: string): boolean => asked === undefined || asked.includes(name);
  const isThere = (name: string): boolean => there.some(({ layout }) => layout.facts.name === name);
  const lacking = asked?.filter((name) => !isThere(name)) ?? [];
  if (lacking.length > 0) throw new TrainError('data', `${root} has no ${lacking.join(', ')}; ${HOW_THEY_LIE}`);
  if (there.length === 0) throw new TrainError('data', `${root} has none of ${KNOWN_SETS.join(', ')}; ${HOW_THEY_LIE}`);
  return {
    sets: there.filter(({ layout }) => isAsked(layout.facts.name)),
    missing: FINE_GRAINED.filter((name) => !isThere(name)),
    unasked: FINE_GRAINED.filter((name) => isThere(name) && !isAsked(name)),
    notes,
  };
}

const HOW_THEY_LIE =
  'each lies as its authors pack it, at most two folders further down; franca-train data <folder> says what one holds';
