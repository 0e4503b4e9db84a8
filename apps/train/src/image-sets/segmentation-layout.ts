/** What a layout of pictures with masks is: how it is known, and what opening it finds. */
import type { FileTree } from '@franca/data';
import { TrainError } from '../errors';
import type { StoredMask } from './read-mask';

/** What may be said about data with masks. */
export interface SegmentationOptions {
  /** Which list of PASCAL VOC's training pictures; default `trainaug` where it is there. */
  readonly trainList?: 'train' | 'trainaug' | undefined;
  /** Share of the training pictures that is drawn; default all, under `protocol` what the published protocols draw. */
  readonly trainShare?: number | undefined;
  readonly protocol?: 'paper' | undefined;
}

/** A picture and its mask, by their paths in the tree. */
export interface MaskedPicture {
  readonly key: string;
  readonly picture: string;
  readonly mask: string;
}

/** One part of a data set, as it lies there. */
export interface LayoutPart {
  /** Name of the part in records. */
  readonly split: string;
  /** Where paths are, if not in the layout's folder. */
  readonly tree?: FileTree;
  /** Pictures with masks, in order. */
  readonly pictures: readonly MaskedPicture[];
  /** Pictures or listed names that lack a mask or a picture, in words. */
  readonly unmasked: readonly string[];
  readonly notes: readonly string[];
  /** How many pictures the published part has. */
  readonly published?: number | undefined;
  /** A mask from its file, where that is not simply a PNG of values. @throws as `readMask` */
  readonly readMask?: (bytes: Uint8Array, path: string) => StoredMask;
}

/** A data set that was opened. */
export interface OpenedLayout {
  /** Its name in the paper's tables; absent: the folder's. */
  readonly dataset?: string;
  readonly classes: readonly string[];
  /** Value of masks that is not scored, where values are classes. */
  readonly ignore: number;
  /** Class of each value, or `VOID`, where values are not classes. */
  readonly values?: ReadonlyMap<number, number>;
  /** Absent where there is no such folder: `missing` says what was looked for. */
  readonly train?: LayoutPart;
  readonly val?: LayoutPart;
  readonly missing: readonly string[];
  /** Share of the training pictures that the published protocols draw, where they do not take all. */
  readonly paperShare?: number;
  /** What was found out about the data as a whole, in words. */
  readonly notes: readonly string[];
}

/** The tree that a layout was found in, and its folder there. */
export interface Surroundings {
  readonly whole: FileTree;
  readonly folder: string;
}

export interface SegmentationLayout {
  /** Name of the data set in the paper's tables; `pairs` for one's own. */
  readonly name: string;
  /** What it looks like, for messages. */
  readonly looks: string;
  /** Whether the data lie in this folder. */
  isHere(tree: FileTree): boolean;
  /**
   * @param around all that was opened, and where in it the data lie
   * @throws TrainError `data` where what lies there cannot be used
   */
  open(tree: FileTree, options: SegmentationOptions, around: Surroundings): Promise<OpenedLayout>;
}

/** The first folder that is there. */
export const firstFolder = (tree: FileTree, folders: readonly string[]): string | undefined =>
  folders.find((folder) => tree.names(folder).length > 0);

/** @throws TrainError `usage` where a list was asked for that the layout does not have */
export function refuseTrainList({ trainList }: SegmentationOptions, layout: string): void {
  if (trainList !== undefined)
    throw new TrainError(
      'usage',
      `--train-list says nothing about ${layout}; it chooses among the lists of PASCAL VOC`,
    );
}
