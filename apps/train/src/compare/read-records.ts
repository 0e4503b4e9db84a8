/**
 * Records of evaluations as files that nobody has checked: what `--json` wrote, by this version or an older one. What is no record is refused with the
 * file's name and its place in it.
 */
import { readFile } from 'node:fs/promises';
import type { EvalRecord, ItemResults } from '@franca/evals';
import { TrainError } from '../errors';
import { parseJson } from '../image-sets/parse-json';

export interface RecordFile {
  readonly path: string;
  readonly records: readonly EvalRecord[];
}

/** @throws TrainError `data` where the file cannot be read, or holds anything but records */
export async function readRecords(path: string): Promise<RecordFile> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new TrainError('data', `${path} cannot be read (${cause.code}); give what eval --json wrote`, { cause });
  });
  const json = parseJson(path, bytes);
  if (!Array.isArray(json) || json.length === 0)
    throw new TrainError('data', `${path} is no list of records; give what eval --json wrote`);
  return { path, records: json.map((each, at) => recordOf(each, `record ${at + 1} of ${path}`)) };
}

const TEXTS = ['dataset', 'split', 'features', 'preprocessing', 'task', 'protocol', 'variant', 'metric'] as const;
const COUNTS = ['evaluated', 'total'] as const;
const CHOICES = ['nothing', 'train-holdout', 'validation', 'test'] as const;

function recordOf(given: unknown, where: string): EvalRecord {
  const wrong = (what: string): TrainError =>
    new TrainError('data', `${where} is no result of an evaluation: ${what}; give what eval --json wrote`);
  if (!isObject(given)) throw wrong('it is no object');
  const texts = Object.fromEntries(
    TEXTS.map((name) => {
      const text = given[name];
      if (typeof text !== 'string') throw wrong(`${name} is ${show(text)}, it must be a text`);
      return [name, text];
    }),
  ) as Record<(typeof TEXTS)[number], string>;
  const { value } = given;
  if (!isNumber(value)) throw wrong(`value is ${show(value)}, it must be a number`);
  const counts = Object.fromEntries(
    COUNTS.map((name) => {
      const count = given[name];
      if (!isNumber(count) || count < 0) throw wrong(`${name} is ${show(count)}, it must be a count`);
      return [name, count];
    }),
  ) as Record<(typeof COUNTS)[number], number>;
  const unit = (['share', 'number'] as const).find((name) => name === given.unit);
  if (unit === undefined) throw wrong(`unit is ${show(given.unit)}, it must be share or number`);
  const selectedOn = CHOICES.find((name) => name === given.selectedOn);
  if (selectedOn === undefined)
    throw wrong(`selectedOn is ${show(given.selectedOn)}, it must be one of ${CHOICES.join(', ')}`);
  const notes = given.notes ?? [];
  if (!Array.isArray(notes) || !notes.every((note) => typeof note === 'string')) throw wrong('notes are no texts');
  const { hyper = {}, others = {}, seeds = [], items } = given;
  if (!isObject(hyper)) throw wrong(`hyper is ${show(hyper)}, it must be an object`);
  if (!isObject(others) || !Object.values(others).every(isNumber)) throw wrong('others are no numbers');
  if (!Array.isArray(seeds) || !seeds.every(isNumber)) throw wrong('seeds are no numbers');
  return {
    ...texts,
    ...counts,
    value,
    unit,
    selectedOn,
    notes,
    seeds,
    others: others as EvalRecord['others'],
    hyper: hyper as EvalRecord['hyper'],
    quirks: given.quirks === true,
    wallMs: isNumber(given.wallMs) ? given.wallMs : 0,
    perClass: [],
    // what is in them is checked where they are paired
    ...(isObject(items) && { items: items as unknown as ItemResults }),
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** Short, whatever it is. */
const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
};
