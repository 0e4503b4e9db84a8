/**
 * One object in one picture, found from patch tokens alone: what the methods of this folder return, and from patches to pixels.
 *
 * Ties are part of these methods, not noise: graphs are binary and degrees are whole numbers, so that patches tie for the seed as a rule. The
 * lowest index wins here; what other orders would give stands beside it.
 */
import { checkSet, PATCHES } from '../check-features';
import { EvalsError } from '../errors';
import { imageCount, type PatchFeatures } from '../features';
import type { Box } from '../metrics/corloc';

/** A box in patches, half-open. */
export type Cells = readonly [row0: number, column0: number, row1: number, column1: number];

export interface Discovery {
  readonly cells: Cells;
  /** The patch that the object grew from. */
  readonly seed: number;
  /** Patches that tie for the seed, the rule's first. */
  readonly tiedSeeds: readonly number[];
  /** Different boxes that other ways to resolve ties give. */
  readonly otherCells: readonly Cells[];
  /** Whether each patch [N] is part of the object. */
  readonly foreground: Uint8Array;
  /** What the object was cut out of [N]: eigenvector, sum of similarities, or attention. */
  readonly map: Float64Array;
  /** Similarity of the seed to each patch [N]. */
  readonly affinity: Float64Array;
  /** Further quantities by name. */
  readonly detail: Readonly<Record<string, number>>;
}

/**
 * The box in pixels, clipped to the picture, which was padded right and below to whole patches.
 * @param size of the picture in pixels
 */
export function boxOfCells(
  [row0, column0, row1, column1]: Cells,
  patchSize: number,
  { width, height }: { readonly width: number; readonly height: number },
): Box {
  return [
    column0 * patchSize,
    row0 * patchSize,
    Math.min(column1 * patchSize, width),
    Math.min(row1 * patchSize, height),
  ];
}

/** Refuses what is not the patch tokens of one picture, all finite. */
export function checkPicture(what: string, features: PatchFeatures): void {
  checkSet(what, features, PATCHES);
  const images = imageCount(features);
  if (images !== 1)
    throw new EvalsError('features', `${what}: these are tokens of ${images} pictures; give those of one at a time`);
  if (!features.patches.every(Number.isFinite)) throw new EvalsError('features', `${what}: tokens are not finite`);
}

/** The boxes that differ from `own` and from each other. */
export function otherBoxes(own: Cells, boxes: readonly Cells[]): Cells[] {
  const seen = new Set([own.join()]);
  return boxes.filter((cells) => !seen.has(cells.join()) && seen.add(cells.join()));
}
