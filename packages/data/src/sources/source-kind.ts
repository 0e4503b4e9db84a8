/** What a kind of data set tells of itself: signs, labels, how it opens, where its validation part is. */

import type { OptionKinds } from '@franca/tensor';
import { checkOptions } from '../errors';
import { HTTP_OPTIONS } from '../files/http-file';
import type { HubOptions } from '../files/hub-files';
import { isFolder } from '../files/is-folder';
import type { ImageSource } from '../images/image-source';

/** A part of a data set that has parts. */
export type Split = 'train' | 'val' | 'test';

/** How parquet files are read. */
export interface ParquetReading {
  /** Column that holds the images. Found by itself where there is only one that fits. */
  readonly imageColumn?: string;
  /** Column that holds the labels; false for none. Default the first of label, labels, fine_label, class, cls, target. */
  readonly labelColumn?: string | false;
  /** Bytes of decoded row groups to keep. Default 512 MiB. */
  readonly cacheBytes?: number;
}

export const PARQUET_READING: OptionKinds<ParquetReading> = {
  imageColumn: 'string',
  labelColumn: true,
  cacheBytes: 'number',
};

/** How a data set is opened, whatever its kind. */
export interface OpenOptions extends Omit<HubOptions, 'cacheDir'> {
  /** Part to open of data that has parts, unless the text itself names one. Default train. */
  readonly split?: Split | undefined;
  /** Fixes the class list. */
  readonly classes?: readonly string[] | undefined;
  /** Default: the user's cache folder. */
  readonly cacheDir?: string | undefined;
  /** Sets of the hub up to this many bytes are fetched whole. Default 20 GiB. */
  readonly keepBytes?: number | undefined;
  readonly parquet?: ParquetReading | undefined;
  /** Called while files are fetched. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Keeps the index of each tar shard beside it rather than in the cache folder. Default false. */
  readonly indexBeside?: boolean | undefined;
  /** Called as tar shards are opened: how many so far, of how many, and whether the index of this one was there. */
  readonly onIndexing?: ((done: number, total: number, cached: boolean) => void) | undefined;
}

export const OPEN_OPTIONS: OptionKinds<OpenOptions> = {
  split: ['train', 'val', 'test'],
  classes: 'strings',
  cacheDir: 'string',
  keepBytes: 'number',
  parquet: 'object',
  onProgress: 'function',
  indexBeside: 'boolean',
  onIndexing: 'function',
  hubUrl: 'string',
  token: 'string',
  http: 'object',
  signal: 'object',
};

/** Refuses options of opening that do not exist or are of another type, those of reading parquet and of HTTP too. */
export function checkOpening<Options extends Pick<OpenOptions, 'http' | 'parquet'>>(
  what: string,
  options: Options,
  known: OptionKinds<Options>,
): void {
  checkOptions(what, options, known);
  if (options.http) checkOptions(`${what}: http`, options.http, HTTP_OPTIONS);
  if (options.parquet) checkOptions(`${what}: parquet`, options.parquet, PARQUET_READING);
}

/** What a folder holds, as far as it tells kinds apart. Names only: nothing is read. */
export interface FolderContents {
  /** Names in the folder. */
  readonly names: readonly string[];
  /** Those and names below, in lower case: enough of them to see which files there are. */
  readonly nested: readonly string[];
  /** A train folder, and no images beside it. */
  readonly hasParts: boolean;
  /** Whether a kind further up in the list has taken the folder for its own. */
  readonly taken: boolean;
}

/** A part besides the training part. */
export type OwnPart = Exclude<Split, 'train'>;

/**
 * Where the validation part is: `'held out'` where data of this kind has none of its own, else a function that gives the target
 * to open as `val` or `test`, or nothing where this one has none.
 */
export type Validation =
  | 'held out'
  | ((target: string, part: OwnPart) => string | undefined | Promise<string | undefined>);

/** One kind of data set. Of the signs it has those that apply to it; each answers why, in words for a message, or nothing. */
export interface SourceKind<Name extends string = string> {
  readonly kind: Name;
  /** What a user gives, in the words of the message that lists what a data set can be. */
  readonly says: string;
  /** Where labels come from, in words. */
  readonly labels: string;
  /** Whether `kind:target` asks for it. */
  readonly prefixed: boolean;
  /** For data that its bare name asks for: what else to write, as for a path of that name. */
  readonly builtIn?: string;
  /** Sign: the text itself. The answer is a sentence. */
  ofText?(text: string): string | undefined;
  /** Sign: the name of a file or an address, in lower case. The answer goes on from "the file". */
  ofFile?(name: string): string | undefined;
  /** Sign: what a folder holds. The answer goes on from "the folder". */
  ofFolder?(contents: FolderContents): string | undefined;
  /** Opens a target: the text without its prefix, empty for the bare name of built-in data. */
  open(target: string, options: OpenOptions): Promise<ImageSource>;
  readonly validation: Validation;
}

/** For kinds whose parts are files of one folder: the folder itself, while a single file or address is all there is. */
export const inSameFolder: Validation = async (target) => ((await isFolder(target)) ? target : undefined);
