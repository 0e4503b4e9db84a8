/** What a reader of data with boxes finds: pictures by their paths, with the boxes that are written about them. */
import type { Box } from '@franca/evals';
import { TrainError } from '../errors';

/** Width and height in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

export interface BoxedPicture {
  /** Its name in messages and records. */
  readonly key: string;
  /** Path in the tree; undefined where there is no such picture. */
  readonly path: string | undefined;
  /** Half-open boxes in pixels; none where no object is marked. */
  readonly boxes: readonly Box[];
  /** Size that is written beside the boxes; absent: the picture itself says. */
  readonly size?: PictureSize;
}

export interface BoxLayout {
  /** Name of the data set in records, where the layout tells. */
  readonly dataset?: string;
  readonly split: string;
  /** Pictures of the part, those without a box too. */
  readonly pictures: readonly BoxedPicture[];
  /** Pictures whose boxes cannot be read, each with its reason. */
  readonly unusable: readonly string[];
  readonly notes: readonly string[];
}

/** What may be said about data with boxes. */
export interface BoxOptions {
  /** Year of PASCAL VOC, where there are several. */
  readonly year?: number | undefined;
  /** The list of `ImageSets/Main`; default `trainval`. */
  readonly part?: string | undefined;
  /** `false`: objects that are truncated or difficult are left out, and with them pictures that have no other. */
  readonly hard?: boolean | undefined;
  /** Annotations of COCO's form, a path in the data. */
  readonly annotations?: string | undefined;
  /** File of names or numbers of pictures that are meant. */
  readonly list?: string | undefined;
}

/**
 * Four numbers as a box.
 * @throws TrainError `data` for anything else; `where` says what they are
 */
export function boxOf(values: unknown, where: string): Box {
  if (!Array.isArray(values) || values.length !== 4 || !values.every(Number.isFinite))
    throw new TrainError('data', `${where} is ${shown(values)}; a box is four numbers`);
  const [x0, y0, x1, y1] = values as [number, number, number, number];
  return [x0, y0, x1, y1];
}

/** A value in a message: its JSON, shortened. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** A name without folders and ending. */
export const stemOf = (file: string): string => file.replace(/^.*\//, '').replace(/\.[^.]*$/, '');
