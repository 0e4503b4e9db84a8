/** What a file says of its features besides their numbers: classes of the rows, model, preparation of the images, notes. */
import { CONFIG_KEY, decodeVitConfig, type VitConfig, VitError } from '@franca/vit';
import { TrainError } from '../../errors';
import type { RawFeatures } from './raw-features';

export interface SaidOfFeatures {
  readonly model: string | undefined;
  readonly config: VitConfig | undefined;
  /** Side of a patch in pixels of the input. */
  readonly patchSize: number | undefined;
  readonly preprocessing: string | undefined;
  /** Name of the data set and of its part. */
  readonly dataset: string | undefined;
  readonly split: string | undefined;
  readonly notes: readonly string[];
}

const SPLITS = /^(.+) (train|val|test|held-out|all)$/;

/** @throws TrainError `data` where the configuration is broken */
export function factsOf({ path, texts }: Pick<RawFeatures, 'path' | 'texts'>): SaidOfFeatures {
  const text = (key: string): string | undefined => {
    const value = texts[key];
    return typeof value === 'string' && value.trim() !== '' ? value : undefined;
  };
  const dataset = text('dataset');
  const [, name = dataset, split] = SPLITS.exec(dataset ?? '') ?? [];
  const config = configOf(path, text(CONFIG_KEY));
  return {
    model: text('model'),
    config,
    patchSize: patchSizeOf(path, text('patch_size')) ?? config?.patchSize,
    preprocessing: text('preprocessing'),
    dataset: name,
    split,
    notes: listOf(texts.notes) ?? [],
  };
}

function patchSizeOf(path: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const side = Number(text);
  if (Number.isSafeInteger(side) && side > 0) return side;
  throw new TrainError('data', `${path} says patch_size "${text}"; it should be the side of a patch in pixels, as 14`);
}

function configOf(path: string, text: string | undefined): VitConfig | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeVitConfig(text)?.config;
  } catch (cause) {
    if (!(cause instanceof VitError)) throw cause;
    throw new TrainError('data', `the configuration in ${path} is broken: ${cause.message}`, { cause });
  }
}

/** A list of texts, as one or as JSON; undefined for anything else. */
export function listOf(value: string | readonly string[] | undefined): readonly string[] | undefined {
  if (typeof value !== 'string') return value;
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) && list.every((item) => typeof item === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

export interface LabelledRows {
  readonly classes: readonly string[];
  /** By row; -1 where it has none. */
  readonly labels: Int32Array;
}

/**
 * Labels as places in a list of classes: numbers mean places in the list that the file has, else themselves; texts are the names of classes.
 * @throws TrainError `data` for labels that are none
 */
export function classesOf(
  { path, labels, texts }: Pick<RawFeatures, 'path' | 'labels' | 'texts'>,
  rows: number,
): LabelledRows | undefined {
  if (labels === undefined) return undefined;
  const no = (what: string): TrainError => new TrainError('data', `${path} ${what}`);
  if (labels.length !== rows) throw no(`has ${rows} rows of features and ${labels.length} labels`);
  const named = listOf(texts.classes) ?? [];
  if (new Set(named).size < named.length) throw no('has a class twice in its list of classes');
  const listed = named.length > 0 ? named : undefined;
  const names = labels.map((label, row) => {
    if (label === undefined || label === -1 || label === '-1') return undefined;
    if (typeof label === 'string') return label;
    if (!Number.isSafeInteger(label) || label < 0 || (listed && label >= listed.length))
      throw no(
        `has the label ${label} in row ${row}; labels are whole numbers from 0${listed ? ` to ${listed.length - 1}, places in its list of classes` : ''}, -1 where there is none, or names of classes`,
      );
    return listed ? listed[label] : String(label);
  });
  const found = [...new Set(names.filter((name) => name !== undefined))];
  if (found.length === 0) return undefined;
  const classes = listed ?? found.toSorted(byNumber(found));
  const places = new Map(classes.map((name, place) => [name, place]));
  const stray = found.find((name) => !places.has(name));
  if (stray !== undefined) throw no(`has the label "${stray}", which is none of its ${classes.length} classes`);
  return { classes, labels: Int32Array.from(names, (name) => (name === undefined ? -1 : places.get(name)!)) };
}

/** By number where all are whole numbers, else by code unit. */
const byNumber = (names: readonly string[]): ((a: string, b: string) => number) =>
  names.every((name) => /^\d+$/.test(name)) ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : Number(a > b));
