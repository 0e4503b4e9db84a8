/** Images that features are computed of: one part of a data set, with a class or a mask each where there are any. */
import { resolve, sep } from 'node:path';
import {
  type BenchmarkFacts,
  type DataSplits,
  type HoldOutOptions,
  type ImageSource,
  openSplits,
  openTestPart,
  type PixelImage,
  readImage,
} from '@franca/data';
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
  /** The published data set that it is a part of. */
  readonly benchmark?: BenchmarkFacts;
  /** Class of each value of the masks, or `VOID`, where values are not classes. */
  readonly values?: ReadonlyMap<number, number> | undefined;
  /** Why there are no images, where an evaluation can do without this part. */
  readonly whyEmpty?: string | undefined;
  /** What was left out or assumed about it, in words, for records and the screen. */
  readonly notes: readonly string[];
  key(index: number): string;
  /** -1 where the image has no class. */
  label(index: number): number;
  /** All classes of the image, where one may have several; `label` is then -1. */
  labels?(index: number): readonly number[];
  /** Beside them, classes that count neither for nor against the image, see `ImageSource.difficult`. */
  difficult?(index: number): readonly number[];
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
  /** What choices may be made on, where the data have a part for it besides the one that is tested on. */
  readonly validation?: ImageSet;
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
    ...(set.labels && { labels: (index: number) => set.labels!(at(index)) }),
    ...(set.difficult && { difficult: (index: number) => set.difficult!(at(index)) }),
    ...(set.unlistedClass && { unlistedClass: (index: number) => set.unlistedClass!(at(index)) }),
    read: (index, signal) => set.read(at(index), signal),
    ...(set.mask && { mask: (index: number, signal?: AbortSignal) => set.mask!(at(index), signal) }),
    version: (index) => set.version(at(index)),
  };
}

/** The images of `set` at `indices`, in their order. */
export function chosenOf(set: ImageSet, indices: ArrayLike<number>): ImageSet {
  let same = 0;
  while (same < indices.length && indices[same] === same) same++;
  if (same === set.length) return set;
  return choose(set, indices.length, (index) => indices[index]!);
}

/** What is tested on: a part that the data have, or one that is held out of data without. */
export type TestedPart = 'val' | 'test' | 'held-out';

export interface OpenSetOptions {
  readonly limits?: SetLimits;
  /** The data set's name in records; default what it was published as, else its path. */
  readonly name?: string | undefined;
  /** What to hold out of data without parts of their own. Without it they are refused, unless `split` asks for it: then a tenth. */
  readonly heldOut?: HoldOutOptions | undefined;
  /** Default the test part of a published data set, else `val`, which stands for the part that is not for training. */
  readonly split?: TestedPart | undefined;
}

/**
 * The parts of anything that `@franca/data` opens. What is held out is never held out in silence: the notes say so.
 * @throws DataError as `openSplits`; TrainError `usage` where the data have no such part
 */
export async function openImageSets(spec: string, options: OpenSetOptions = {}): Promise<ImageSets> {
  const { limits = {}, name, heldOut, split } = options;
  const splits = await openSplits(spec, { ...(heldOut && { heldOut }), test: split === 'test' });
  try {
    const { train, whole, benchmark, origin } = splits;
    const { tested, part, validation } = testedPart(spec, splits, options);
    const notes = [...(whole ? [origin] : []), ...splits.notes];
    const named = { dataset: datasetName(spec, name ?? benchmark?.name), notes, ...(benchmark && { benchmark }) };
    const test = imageSet(tested, { ...named, split: part });
    return {
      train: spread(imageSet(train, { ...named, split: 'train' }), limits.train),
      ...(validation && { validation: spread(imageSet(validation, { ...named, split: 'val' }), limits.test) }),
      // a share that was asked for is told as one of the whole set
      test: spread(part === 'held-out' ? { ...test, total: whole!.length } : test, limits.test),
      close: () => splits.close(),
    };
  } catch (error) {
    await splits.close();
    throw error;
  }
}

interface Tested {
  readonly tested: ImageSource;
  readonly part: TestedPart;
  readonly validation?: ImageSource | undefined;
}

function testedPart(
  spec: string,
  { val, test, whole, benchmark }: DataSplits,
  { split, heldOut }: OpenSetOptions,
): Tested {
  const usage = (what: string): TrainError => new TrainError('usage', `${spec} ${what}`);
  if (whole) {
    if (split === 'held-out' || (heldOut && split !== 'test')) return { tested: val, part: split ?? 'val' };
    throw usage(
      `has no ${split ?? 'validation or test'} part of its own; with --split held-out the model is tested on a tenth of it, ` +
        'drawn by seed 0, and the rest is for training; or give a folder with train and val',
    );
  }
  const validation = val === test ? undefined : val;
  const there = [...(validation ? ['val'] : []), ...(test ? ['test'] : [])];
  if (split === 'held-out')
    throw usage(`has parts of its own; leave --split out, or write --split ${there.join(' or ')}`);
  const part = split ?? (benchmark && test ? 'test' : 'val');
  // of other data a test part stands in for validation
  const tested = part === 'test' ? test : benchmark ? validation : val;
  if (!tested) throw usage(`has no ${part} part besides that for training; it has ${there.join(' and ')}`);
  return { tested, part, validation: part === 'test' ? validation : undefined };
}

/** One set that is tested on, whole: a part of its own called test, else val, else all its images. @throws DataError as `openSource` */
export async function openTestSet(
  spec: string,
  { limit, name }: { readonly limit?: number | undefined; readonly name?: string | undefined } = {},
): Promise<ImageSet & AsyncDisposable> {
  const { source, part, benchmark, notes: found, close } = await openTestPart(spec);
  // test sets stand beside others: each note says of which
  const notes = benchmark ? found.map((note) => `${benchmark.name}: ${note}`) : found;
  const dataset = datasetName(spec, name ?? benchmark?.name);
  const set = imageSet(source, { dataset, split: part, notes, ...(benchmark && { benchmark }) });
  const chosen = spread(set, limit);
  const left = chosen.length < set.length ? [`${chosen.length} of ${set.length} images of ${dataset} are used`] : [];
  return { ...chosen, notes: [...notes, ...left], [Symbol.asyncDispose]: close };
}

type Named = Pick<ImageSet, 'dataset' | 'split' | 'notes' | 'benchmark'>;

/** All images of a source. */
export function imageSet(source: ImageSource, named: Named): ImageSet {
  return {
    ...named,
    total: source.length,
    length: source.length,
    classes: source.classTitles ?? source.classes ?? [],
    ...(source.classTitles && source.classes && { classIds: source.classes }),
    ignore: undefined,
    whyUnlabelled: source.whyUnlabelled,
    key: source.key,
    label: (index) => source.label?.(index) ?? -1,
    ...(source.labels && { labels: source.labels }),
    ...(source.difficult && { difficult: source.difficult }),
    ...(source.unlistedClass && { unlistedClass: source.unlistedClass }),
    read: (index, signal) => readImage(source, index, {}, signal),
    version: source.version,
  };
}

/**
 * The parts for an evaluation that reads classes: every image has one that it can be taken for. Test images of classes without training
 * images are left out; so says a note of the set, as of `openSplits`.
 * @throws TrainError `data` where a part has no classes, an image has none or may have several, no class is common to both, or there is only one
 */
export function requireLabels({ train, validation, test }: Omit<ImageSets, 'close'>): Omit<ImageSets, 'close'> {
  const usable = {
    train: labelledImages(train),
    ...(validation && { validation: labelledImages(validation) }),
    test: labelledImages(test),
  };
  refuseOneClass(usable.train);
  const missed = untrainedImages(usable);
  if (missed > 0)
    return {
      ...usable,
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

function refuseOneClass(train: ImageSet): void {
  const trained = new Set(Array.from({ length: train.length }, (_, index) => train.label(index)));
  if (trained.size > 1) return;
  const limited = train.length < train.total ? ' chosen' : '';
  throw new TrainError(
    'data',
    `all ${train.length}${limited} training images of ${train.dataset} are of one class, ${train.classes[train.label(0)]}: nothing can be told ` +
      `apart; give data with several classes${limited && ', or more images with --images'}`,
  );
}

/** One part for an evaluation that reads classes. @throws TrainError `data` where there are none, or an image has none */
export const requireClasses = (set: ImageSet): ImageSet => labelledImages(set);

function labelledImages(set: ImageSet): ImageSet {
  const where = `${set.dataset} ${set.split}`;
  const why = set.whyUnlabelled ? `: ${set.whyUnlabelled}` : '';
  if (set.labels)
    throw new TrainError(
      'data',
      `images of ${where} may have several classes each, and this evaluation takes one; eval fine-grained reads such data`,
    );
  const indices = Array.from({ length: set.length }, (_, index) => index);
  const usable = indices.filter((index) => set.label(index) >= 0);
  const unknown = indices.filter((index) => set.label(index) < 0 && set.unlistedClass?.(index) === undefined);
  if (unknown.length === set.length)
    throw new TrainError(
      'data',
      `${where} has no classes${why || '; give data in class folders, another part of it (--split), or --data world'}`,
    );
  if (unknown.length > 0)
    throw new TrainError(
      'data',
      `${unknown.length} of ${set.length} images of ${where} have no class, e.g. ${set.key(unknown[0]!)}${why}; ` +
        'give them a class or take them away',
    );
  return chosenOf(set, usable);
}
