/**
 * What a data set is to this project: a finite, indexed collection of images.
 *
 * Every format (folder, tar shards, parquet, CIFAR, a generated world ...) becomes one plain object of this shape, so that
 * sampling, prefetching, splitting and training know nothing about formats. A source gives either a file's bytes, which
 * the loader decodes, or pixels, where the format stores no files.
 */

import { checkArgument, DataError } from '../errors';
import type { PixelImage } from './image';
import type { SourceFingerprint } from './source-fingerprint';

/** What a source holds for one index: the bytes of an image file, or pixels. */
export type ImageContent = { readonly encoded: Uint8Array } | { readonly pixels: PixelImage };

/** Refuses what is no source, such as a path or a source that was not awaited. */
export function checkSource(what: string, source: ImageSource): void {
  checkArgument(what, 'source', source, 'object');
  const works = typeof source.read === 'function' && typeof source.key === 'function' && source.length >= 0;
  if (!works) throw new DataError('argument', `${what}: source is no image source; give what openSource opens`);
}

/** How many images are of which class. */
export interface ClassCounts {
  /** By the number of the class. */
  readonly perClass: readonly number[];
  /** Images of each class that is not in the list, by its name. */
  readonly unlisted: ReadonlyMap<string, number>;
  /** Images without a class. */
  readonly unlabelled: number;
}

/** A finite, indexed collection of images. Index order is fixed: the same data gives the same order on every machine. */
export interface ImageSource {
  /** For messages and run records, e.g. `folder /data/flowers`. */
  readonly name: string;
  readonly length: number;
  /** Class identifiers; `label` gives positions in this list. Absent when the data has no classes. */
  readonly classes?: readonly string[];
  /** Why the images have no classes although there are signs of some, and what to do, in words: for who needs them. */
  readonly whyUnlabelled?: string;
  /** Human names of the classes, where the data has them (`n01440764` is `tench`). */
  readonly classTitles?: readonly string[];
  /** Images of each class, where the source knows without a look at every image. */
  readonly classCounts?: ClassCounts;
  /** Lengths of consecutive index runs that are cheap to read together (parquet row groups, shards of a large set). They add up to `length`. */
  readonly runs?: readonly number[];
  /** How many images at least are to be mixed across runs, where the sampler's default is not wide enough. */
  readonly window?: number;
  /** Which images there are, in little: a place in their order is saved with it. */
  readonly fingerprint?: SourceFingerprint;
  /** What opening the data had to pass over, in words (a damaged shard, an unusable file type). */
  readonly notes?: readonly string[];
  /** The folder that keys are paths in, where every image is a file of its own. */
  readonly folder?: string;
  /** Whom to credit, where the licence asks for it; show it where the images are used. */
  readonly attribution?: string;
  /** A stable name of the image within the source, for messages. */
  key(index: number): string;
  /**
   * Tells the content of the image without reading it: other pixels, other text, whatever `key` says; for caches of what was computed from
   * them. Neither the image's name nor its label is in it. A file is told by size, times and inode, a member of an archive by that of the
   * archive and its place in it, pixels at hand by their hash.
   */
  version(index: number): string | Promise<string>;
  /** Class of the image, or undefined when this image has none. */
  label?(index: number): number | undefined;
  /** All classes of the image, where one may have several; `label` is then absent. */
  labels?(index: number): readonly number[];
  /** Beside `labels`: classes of which nobody can say whether the image shows them. It counts neither for nor against them, in learning and in scoring. */
  difficult?(index: number): readonly number[];
  /** Name of the class of an image without label whose class is known, but is none of `classes`: a training part fixed that list. */
  unlistedClass?(index: number): string | undefined;
  /**
   * Reads one image.
   * @throws DataError with an image code when this image cannot be read; other images are unaffected.
   */
  read(index: number, signal?: AbortSignal): Promise<ImageContent>;
  /** Releases file handles and workers. */
  close?(): Promise<void>;
}
