/**
 * Models that give their output alone, such as ONNX files, and features from files, and what evaluations may not ask of them. Each evaluation asks here before its work begins: what it
 * reads from inside a model is refused in words, with the settings under which it reads the output.
 */
import { TrainError } from '../errors';

export interface OutputAlone {
  /** In words: `the ONNX file`. */
  readonly what: string;
  /** Whether there are patch tokens beside CLS, and their mean. */
  readonly hasPatches: boolean;
  readonly hasPatchMean: boolean;
  /** How to come by patches where there are none, in words. */
  readonly patchesBy: string;
  /** The only side of its images in pixels; undefined: all of whole patches. */
  readonly side: number | undefined;
}

/** Weights, or whatever else says it of them; nothing is said of those whose inside is known. */
export interface PerhapsAlone {
  readonly outputAlone?: OutputAlone | undefined;
}

/** @param wayOut settings under which the output is read @throws TrainError `data` */
export function refuseInner({ outputAlone }: PerhapsAlone, asked: string, wayOut: string): void {
  if (outputAlone)
    throw new TrainError(
      'data',
      `this evaluation reads ${asked}, and ${outputAlone.what} gives its output alone; ${wayOut} reads that`,
    );
}

/** @throws TrainError `data` where there are none */
export function requirePatches({ outputAlone }: PerhapsAlone): void {
  if (outputAlone && !outputAlone.hasPatches)
    throw new TrainError(
      'data',
      `this evaluation reads patch tokens, and ${outputAlone.what} gives none; knn, linear, logreg, truncation, fine-grained, ood and robustness read CLS, ` +
        `and ${outputAlone.patchesBy}`,
    );
}

/** @param sides rows and columns of all inputs; undefined: those of every picture @throws TrainError `data` where the model takes another side alone */
export function requireSides(
  { outputAlone }: PerhapsAlone,
  sides: readonly (readonly [rows: number, columns: number])[] | undefined,
): void {
  const { what, side } = outputAlone ?? {};
  if (side === undefined) return;
  const other = sides?.find(([rows, columns]) => rows !== side || columns !== side);
  if (sides && !other) return;
  const shown = other ? `pictures of ${other[1]} x ${other[0]} pixels` : 'pictures at sizes of their own';
  throw new TrainError('data', `this evaluation shows ${shown}, and ${what} takes ${side} x ${side} alone`);
}

/** What a linear probe does without, in words. */
export const fewerInputs = ({ outputAlone }: PerhapsAlone): string | undefined =>
  outputAlone &&
  `${outputAlone.what} gives its output alone: classifiers read CLS of the last block, none of four${outputAlone.hasPatchMean ? '' : ', and none the mean of patches'}`;
