/** Images that features are computed of: one part of a data set, with a class or a mask each where there are any. */
import { resolve, sep } from 'node:path';
import { type HoldOutOptions, type ImageSource, openSplits, type PixelImage, readImage } from '@franca/data';
import { TrainError } from '../errors';
import type { StoredMask } from './read-mask';

export interface ImageSet {
  /** Name of the data set and of its part, for records. */
  readonly dataset: string;
  readonly split: string;
  /** Images of the whole part, and of this choice. */
  readonly total: number;
  readonly length: number;
  readonly classes: readonly string[];
  /** What the classes are called on disk, such as WordNet ids, where `classes` are titles. */
  readonly classIds?: readonly string[];
  /** Value of masks that is not scored; undefined where there are no masks. */
  readonly ignore: number | undefined;
  /** Class of each value of the masks, or `VOID`, where values are not classes. */
  readonly values?: ReadonlyMap<number, number> | undefined;
  /** Why there are no images, where an evaluation can do without this part. */
  readonly whyEmpty?: string | undefined;
  /** What was left out or assumed about it, in words, for records and the screen. */
  readonly notes: readonly string[];
  key(index: number): string;
  /** -1 where the image has no class. */
  label(index: number): number;
  /** Name of the class of an image without label whose class is known, but not to the training part. */
  unlistedClass?(index: number): string | undefined;
  /** Why no image has a class although there are signs of some, and what to do. */
  readonly whyUnlabelled?: string | undefined;
  read(index: number, signal?: AbortSignal): Promise<PixelImage>;
  /** The value of each pixel, read anew every time; absent where there are no masks. @throws DataError as `readMask` */
  mask?(index: number, signal?: AbortSignal): Promise<StoredMask>;
  /** What is not in the set for want of a mask or a picture, in words, and of how many. */
  readonly unmasked?: { readonly named: readonly string[]; readonly of: number };
  /** Tells the content of the image, see `ImageSource.version`: neither its name nor its label or mask. */
  version(index: number): string | Promise<string>;
}

/** Share of images, or of their masks, that may be unusable before there is something else wrong; as of a run (`franca.data.max_bad_share`). */
export const MAX_BAD_SHARE = 0.1;

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
  return choose(set, limit, at);
}

/** The images of `set` at `length` places. */
function choose(set: ImageSet, length: number, at: (index: number) => number): ImageSet {
  return {
    ...set,
    length,
    key: (index) => set.key(at(index)),
    label: (index) => set.label(at(index)),
    ...(set.unlistedClass && { unlistedClass: (index: number) => set.unlistedClass!(at(index)) }),
    read: (index, signal) => set.read(at(index), signal),
    ...(set.mask && { mask: (index: number, signal?: AbortSignal) => set.mask!(at(index), signal) }),
    version: (index) => set.version(at(index)),
  };
}

/** The images of `set` at `indices`, in their order. */
export function chosenOf(set: ImageSet, indices: readonly number[]): ImageSet {
  if (indices.length === set.length && indices.every((index, at) => index === at)) return set;
  return choose(set, indices.length, (index) => indices[index]!);
}

export interface OpenSetOptions {
  readonly limits?: SetLimits;
  /** The data set's name in records. */
  readonly name?: string | undefined;
  /** What is held out of data without a validation part of its own; default a tenth. */
  readonly heldOut?: HoldOutOptions | undefined;
}

/**
 * Both parts of anything that `@franca/data` opens; without a part of its own for validation, one is held out, which the notes say.
 * @throws DataError as `openSplits`
 */
export async function openImageSets(spec: string, options: OpenSetOptions = {}): Promise<ImageSets> {
  const { limits = {}, name, heldOut } = options;
  const splits = await openSplits(spec, heldOut ? { heldOut } : {});
  const dataset = datasetName(spec, name);
  const notes = [...(splits.whole ? [splits.origin] : []), ...splits.notes];
  const train = spread(imageSet(splits.train, { dataset, split: 'train', notes }), limits.train);
  const test = spread(imageSet(splits.val, { dataset, split: 'val', notes }), limits.test);
  return { train, test, close: () => splits.close() };
}

/**
 * Images to compare with: the validation part where the data has one of its own, else all of them.
 * @throws DataError as `openSplits`
 */
export async function openForeignSet(spec: string, limit: number | undefined): Promise<ImageSet & AsyncDisposable> {
  const { whole, val, notes: all, close } = await openSplits(spec);
  const dataset = datasetName(spec);
  const notes = whole ? (whole.notes ?? []) : all;
  const set = imageSet(whole ?? val, { dataset, split: whole ? 'all' : 'val', notes });
  const chosen = spread(set, limit);
  const left = chosen.length < set.length ? [`${chosen.length} of ${set.length} images of ${dataset} are used`] : [];
  return { ...chosen, notes: [...notes, ...left], [Symbol.asyncDispose]: close };
}

function imageSet(source: ImageSource, names: { dataset: string; split: string; notes: readonly string[] }): ImageSet {
  return {
    ...names,
    total: source.length,
    length: source.length,
    classes: source.classTitles ?? source.classes ?? [],
    ...(source.classTitles && source.classes && { classIds: source.classes }),
    ignore: undefined,
    whyUnlabelled: source.whyUnlabelled,
    key: source.key,
    label: (index) => source.label?.(index) ?? -1,
    ...(source.unlistedClass && { unlistedClass: source.unlistedClass }),
    read: (index, signal) => readImage(source, index, {}, signal),
    version: source.version,
  };
}

/**
 * The parts for an evaluation that reads classes: every image has one that it can be taken for. Test images of classes without training
 * images are left out; so says a note of the set, as of `openSplits`.
 * @throws TrainError `data` where a part has no classes, an image has none, or no class is common to both
 */
export function requireLabels({ train, test }: ImageSets): Pick<ImageSets, 'train' | 'test'> {
  const usable = { train: labelledImages(train), test: labelledImages(test) };
  const missed = untrainedImages(usable);
  if (missed > 0)
    return {
      train: usable.train,
      test: {
        ...usable.test,
        notes: [
          ...usable.test.notes,
          `${missed} of ${usable.test.length} test images are of classes of which none of the ${usable.train.length} chosen training ` +
            'images is: they count as wrong',
        ],
      },
    };
  if (usable.test.length > 0) return usable;
  const named = (names: readonly string[]): string =>
    names.slice(0, 3).join(', ') + (names.length > 3 ? ' and others' : '');
  const others = new Set(Array.from({ length: test.length }, (_, index) => test.unlistedClass?.(index) ?? ''));
  throw new TrainError(
    'data',
    `no class is common to both parts of ${test.dataset}: train has ${named(train.classes)}; ${test.split} has ` +
      `${named([...others])}; classes are matched by name, so give both parts the same names`,
  );
}

/** Test images of classes that a limit left without training images. */
function untrainedImages({ train, test }: Pick<ImageSets, 'train' | 'test'>): number {
  const trained = new Set(Array.from({ length: train.length }, (_, index) => train.label(index)));
  return Array.from({ length: test.length }, (_, index) => test.label(index)).filter((label) => !trained.has(label))
    .length;
}

/** One part for an evaluation that reads classes. @throws TrainError `data` where there are none, or an image has none */
export const requireClasses = (set: ImageSet): ImageSet => labelledImages(set);

function labelledImages(set: ImageSet): ImageSet {
  const where = `${set.dataset} ${set.split}`;
  const why = set.whyUnlabelled ? `: ${set.whyUnlabelled}` : '';
  const indices = Array.from({ length: set.length }, (_, index) => index);
  const usable = indices.filter((index) => set.label(index) >= 0);
  const unknown = indices.filter((index) => set.label(index) < 0 && set.unlistedClass?.(index) === undefined);
  if (unknown.length === set.length)
    throw new TrainError('data', `${where} has no classes${why || '; give data in class folders, or --data world'}`);
  if (unknown.length > 0)
    throw new TrainError(
      'data',
      `${unknown.length} of ${set.length} images of ${where} have no class, e.g. ${set.key(unknown[0]!)}${why}; ` +
        'give them a class or take them away',
    );
  return chosenOf(set, usable);
}
