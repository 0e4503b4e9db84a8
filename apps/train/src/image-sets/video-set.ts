/**
 * Videos whose first frame has a mask of objects, which are to be followed: what every layout gives, and what an evaluation reads.
 *
 * A mask holds the id of an object for each pixel, 0 for none. Masks of later frames are the truth that is scored against; where there is none of a
 * frame, objects are followed through it all the same. An object may come in a later frame, whose mask then tells where it is.
 */
import type { PixelImage } from '@franca/data';
import type { VideoScoring } from '@franca/evals';

/** Ids of objects by pixel; 0 and 255 are none. */
export interface FrameMask {
  readonly size: readonly [rows: number, columns: number];
  /** [rows * columns] */
  readonly ids: Uint8Array;
}

export interface VideoObject {
  /** From 1 to 254. */
  readonly id: number;
  /** The frame whose mask says where it is. */
  readonly first: number;
}

export interface VideoSequence {
  /** Unlike that of any other; the folder that its masks are written to. */
  readonly name: string;
  /** Names of the frames in the order of time, two at least; files of masks are called so. */
  readonly frames: readonly string[];
  /** All frames are of this size. */
  readonly size: readonly [rows: number, columns: number];
  /** In the order of their ids; one at least is given in the first frame. */
  readonly objects: readonly VideoObject[];
  /** Whether a frame has a mask; the first one has. */
  hasMask(frame: number): boolean;
  read(frame: number, signal?: AbortSignal): Promise<PixelImage>;
  /** Of a frame that has one. */
  mask(frame: number, signal?: AbortSignal): Promise<FrameMask>;
  /** Tells the content of a frame's picture, see `ImageSource.version`. */
  version(frame: number): string | Promise<string>;
}

export interface VideoSet {
  /** Name of the data set and of its part, for records. */
  readonly dataset: string;
  readonly split: string;
  readonly sequences: readonly VideoSequence[];
  /** Whose rule says on which frames an object is scored. */
  readonly scoring: VideoScoring;
  /** Sequences of the whole part. */
  readonly total: number;
  /** Short side of frames where nothing else is said; default that of the protocol. */
  readonly shortSide?: number;
  /** What was left out or assumed, in words, for records and the screen. */
  readonly notes: readonly string[];
}
