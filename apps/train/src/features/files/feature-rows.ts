/**
 * Which row of which file an image of a data set has: by its name, by the name of its file where that is unique, or, where a file names nothing and has as many rows as the
 * set has images, by order, which is told. An image without a row is left out, as one that cannot be read is.
 */
import { TrainError } from '../../errors';
import type { ImageSet } from '../../image-sets/image-set';
import { type FeatureFile, rowName } from './feature-file';

export interface FoundRows {
  readonly file: FeatureFile;
  /** By image of the set; -1 where it has none. */
  readonly rows: Int32Array;
  /** How they were found, in words, where that is not by the same name. */
  readonly note: string | undefined;
}

/** Looks rows up; the same set is looked up once. */
export function rowFinder(files: readonly FeatureFile[]): (set: ImageSet) => FoundRows {
  const known = new Map<ImageSet, FoundRows>();
  const byOrder = new Map<FeatureFile, readonly string[]>();
  const usedBy = new Map<FeatureFile, Record<'train' | 'test', Uint8Array>>();
  return (set) => {
    const before = known.get(set);
    if (before) return before;
    const part = set.split === 'train' ? 'train' : 'test';
    const found = findRows(candidatesOf(files, part), set, byOrder);
    const used = usedBy.get(found.file) ?? {
      train: new Uint8Array(found.file.rows),
      test: new Uint8Array(found.file.rows),
    };
    usedBy.set(found.file, used);
    const other = used[part === 'train' ? 'test' : 'train'];
    for (const [index, row] of found.rows.entries()) {
      if (row < 0) continue;
      if (other[row])
        throw new TrainError(
          'data',
          `${found.file.path}: row ${row} would be ${set.key(index)} of ${set.dataset} ${set.split} and an image of another part too, as its names do not tell the parts apart; give a file for each part: train.npz,test.npz`,
        );
      used[part][row] = 1;
    }
    known.set(set, found);
    return found;
  };
}

/** Of several files the first is of training images, the others of those that are tested on. */
const candidatesOf = (files: readonly FeatureFile[], part: 'train' | 'test'): readonly FeatureFile[] =>
  files.length === 1 ? files : part === 'train' ? files.slice(0, 1) : files.slice(1);

function findRows(
  files: readonly FeatureFile[],
  set: ImageSet,
  byOrder: Map<FeatureFile, readonly string[]>,
): FoundRows {
  const keys = Array.from({ length: set.length }, (_, index) => set.key(index));
  const exact = best(files.map((file) => ({ file, rows: lookUp(namesOf(file, byOrder), keys) })));
  if (exact) return { ...exact, note: byOrder.has(exact.file) ? orderNote(exact.file, set) : undefined };
  const short = best(
    files.flatMap((file) => {
      const [names, own] = [uniqueStems(file.names ?? []), uniqueStems(keys)];
      return names && own ? [{ file, rows: lookUp(names, own) }] : [];
    }),
  );
  if (short)
    return {
      ...short,
      note: `rows of ${short.file.path} are found by the names of files alone, without folders and endings`,
    };
  const [inOrder] = files.filter((file) => file.names === undefined && !byOrder.has(file) && file.rows === set.length);
  if (!inOrder) throw noRows(files, set);
  byOrder.set(inOrder, keys);
  return { file: inOrder, rows: Int32Array.from(keys.keys()), note: orderNote(inOrder, set) };
}

const orderNote = ({ path, rows }: FeatureFile, set: ImageSet): string =>
  `${path} names no images: its ${rows} rows are taken for those of ${set.dataset} ${set.split} in their order`;

const namesOf = (file: FeatureFile, byOrder: ReadonlyMap<FeatureFile, readonly string[]>): readonly string[] =>
  file.names ?? byOrder.get(file) ?? Array.from({ length: file.rows }, (_, row) => rowName(file, row));

function lookUp(names: readonly string[], keys: readonly string[]): Int32Array {
  const places = new Map(names.map((name, row) => [name, row]));
  return Int32Array.from(keys, (key) => places.get(key) ?? -1);
}

/** The file that has rows of most images; undefined where none has any. */
function best<Found extends { readonly rows: Int32Array }>(all: readonly Found[]): Found | undefined {
  const counted = all.map((found) => ({ found, count: found.rows.reduce((sum, row) => sum + Number(row >= 0), 0) }));
  const [most] = counted.sort((a, b) => b.count - a.count);
  return most && most.count > 0 ? most.found : undefined;
}

/** Names without folders and endings; undefined where two become one. */
function uniqueStems(names: readonly string[]): string[] | undefined {
  const stems = names.map((name) => name.replace(/^.*[/\\]/, '').replace(/\.\w{1,5}$/, ''));
  return new Set(stems).size === names.length ? stems : undefined;
}

function noRows(files: readonly FeatureFile[], set: ImageSet): TrainError {
  const [file] = files;
  const there = file?.names ? `, e.g. ${file.names[0]}` : ' without names';
  return new TrainError(
    'data',
    `there are no features of ${set.dataset} ${set.split}: none of its ${set.length} images, e.g. ${set.key(0)}, is in ` +
      `${files.map(({ path }) => path).join(', ')}, ${file?.rows} rows${there}`,
  );
}
