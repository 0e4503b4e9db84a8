/** Images that features are computed of: one part of a data set, with a class or a mask each where there are any. */
import { createHash } from 'node:crypto';
import { resolve, sep } from 'node:path';
import { type DataSplits, type ImageSource, openSplits, type PixelImage, readImage } from '@franca/data';
import { fingerprintFiles } from '@franca/evals/node';
import { TrainError } from '../errors';
import type { PixelLabels } from './preparation';

export interface ImageItem {
  readonly image: PixelImage;
  readonly mask?: PixelLabels;
}

export interface ImageSet {
  /** Name of the data set and of its part, for records. */
  readonly dataset: string;
  readonly split: string;
  /** Images of the whole part, and of this choice. */
  readonly total: number;
  readonly length: number;
  readonly classes: readonly string[];
  /** Value of masks that is not scored; undefined where there are no masks. */
  readonly ignore: number | undefined;
  /** What was left out or assumed about it, in words, for records and the screen. */
  readonly notes: readonly string[];
  key(index: number): string;
  /** -1 where the image has no class. */
  label(index: number): number;
  read(index: number, signal?: AbortSignal): Promise<ImageItem>;
  /** Same images, same text; for caches. */
  identity(): Promise<string>;
}

export interface ImageSets {
  readonly train: ImageSet;
  readonly test: ImageSet;
  close(): Promise<void>;
}

/** At most so many images of each part; undefined: all. */
export interface SetLimits {
  readonly train?: number | undefined;
  readonly test?: number | undefined;
}

/** A data set's name in records: what was asked for, without the path. A folder named after a part is told by the one around it too. */
export function datasetName(spec: string, chosen?: string): string {
  if (chosen !== undefined) return chosen;
  if (/^[\w-]+(:|$)/.test(spec)) return spec;
  const folders = resolve(spec).split(sep);
  return folders.slice(/^(train|val|test|images)$/.test(folders.at(-1)!) ? -2 : -1).join('/');
}

/** At most `limit` images, evenly spaced, so that sorted classes stay balanced. */
export function spread(set: ImageSet, limit: number | undefined): ImageSet {
  if (limit === undefined || limit >= set.length) return set;
  const at = (index: number): number => Math.floor((index * set.length) / limit);
  return {
    ...set,
    length: limit,
    key: (index) => set.key(at(index)),
    label: (index) => set.label(at(index)),
    read: (index, signal) => set.read(at(index), signal),
    identity: async () => `${limit} of ${await set.identity()}`,
  };
}

/**
 * Both parts of anything that `@franca/data` opens; without a part of its own for validation, a tenth is held out.
 * @throws DataError as `openSplits`
 */
export async function openImageSets(spec: string, limits: SetLimits, name?: string): Promise<ImageSets> {
  const splits: DataSplits = await openSplits(spec);
  const dataset = datasetName(spec, name);
  return {
    train: spread(imageSet(splits.train, spec, { dataset, split: 'train' }), limits.train),
    test: spread(imageSet(splits.val, spec, { dataset, split: 'val' }), limits.test),
    close: () => splits.close(),
  };
}

function imageSet(source: ImageSource, spec: string, names: { dataset: string; split: string }): ImageSet {
  return {
    ...names,
    total: source.length,
    length: source.length,
    classes: source.classTitles ?? source.classes ?? [],
    ignore: undefined,
    notes: source.notes ?? [],
    key: source.key,
    label: (index) => source.label?.(index) ?? -1,
    read: async (index, signal) => ({ image: await readImage(source, index, {}, signal) }),
    identity: () => identityOf(source, `${spec} ${names.split}`),
  };
}

/** Files are known by name, size and time; other sources by where they come from and the names of their images. */
async function identityOf(source: ImageSource, text: string): Promise<string> {
  const keys = Array.from({ length: source.length }, (_, index) => source.key(index));
  if (source.folder) return fingerprintFiles(source.folder, keys);
  const hash = createHash('sha256').update(`${source.name} ${text}`);
  for (const key of keys) hash.update(`\n${key}`);
  return hash.digest('hex');
}

/** @throws TrainError `data` where no image of `set` has a class */
export function requireLabels(set: ImageSet): void {
  if (set.classes.length === 0)
    throw new TrainError(
      'data',
      `${set.dataset} ${set.split} has no classes; give data in class folders, or --data world`,
    );
}
