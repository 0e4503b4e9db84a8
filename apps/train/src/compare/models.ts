/** The models of several files of records: which results belong together, and what they are called. */
import { basename, dirname } from 'node:path';
import type { EvalRecord } from '@franca/evals';
import { TrainError } from '../errors';
import type { RecordFile } from './read-records';

/** A model, or a model with a form of its features: a column. */
export interface ComparedModel {
  readonly name: string;
  /** What records call it. */
  readonly features: string;
  readonly files: readonly string[];
  readonly records: readonly EvalRecord[];
}

/** What a row of a comparison is about. */
export const rowKey = ({ task, protocol, variant, metric, dataset, split }: EvalRecord): string =>
  JSON.stringify([task, protocol, variant, metric, dataset, split]);

/**
 * One model for each name of features, in the order in which files have them. Where two files have the same figure of the same name, they are of two models (two
 * runs of one name, two steps of a run), told apart by their files.
 *
 * @param names in place of those of the records, one for each
 * @throws TrainError `usage` where there are more or fewer names, or two are alike
 */
export function modelsOf(files: readonly RecordFile[], names?: readonly string[]): ComparedModel[] {
  const parts = files.flatMap(({ path, records }) =>
    [...new Set(records.map(({ features }) => features))].map((features) => ({
      path,
      features,
      records: records.filter((record) => record.features === features),
    })),
  );
  const models = [...new Set(parts.map(({ features }) => features))].flatMap((features): ComparedModel[] => {
    const own = parts.filter((part) => part.features === features);
    const keys = own.flatMap(({ records }) => [...new Set(records.map(rowKey))]);
    if (new Set(keys).size === keys.length)
      return [
        {
          name: features,
          features,
          files: own.map(({ path }) => path),
          records: own.flatMap(({ records }) => records),
        },
      ];
    const titles = fileTitles(own.map(({ path }) => path));
    return own.map(({ path, records }, i) => ({
      name: `${features} (${titles[i]})`,
      features,
      files: [path],
      records,
    }));
  });
  if (names === undefined) return models;
  const there = models.map(({ name }) => name).join(', ');
  if (names.length !== models.length || new Set(names).size !== names.length)
    throw new TrainError(
      'usage',
      `--name ${names.join(',')} has ${new Set(names).size} names for ${models.length} models; give one for each of ${there}`,
    );
  return models.map((model, i) => ({ ...model, name: names[i]! }));
}

/** Names of files without folder and ending, or with their folder where two are alike. */
function fileTitles(paths: readonly string[]): string[] {
  const short = paths.map((path) => basename(path).replace(/\.json$/, ''));
  return short.map((title, i) =>
    short.indexOf(title) === short.lastIndexOf(title) ? title : `${basename(dirname(paths[i]!))}/${title}`,
  );
}

/** @throws TrainError `usage` where there is no such model */
export function modelIndex(models: readonly ComparedModel[], name: string | undefined): number {
  if (name === undefined) return 0;
  const at = models.findIndex((model) => model.name === name);
  if (at >= 0) return at;
  throw new TrainError(
    'usage',
    `--against ${name} is none of the models; they are ${models.map((model) => model.name).join(', ')}`,
  );
}
