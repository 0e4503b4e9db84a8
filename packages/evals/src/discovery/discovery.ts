/**
 * What the discovery of one object in one picture gives, the same for every method: a box in patches, what it was grown
 * from, and which other boxes equal values would have allowed.
 */
import { checkSet, PATCHES } from '../check-features';
import { checkArgument, checkOption, EvalsError } from '../errors';
import { imageCount, type PatchFeatures, patchTokens } from '../features';
import type { Matrix } from '../matrix';
import type { Box } from '../metrics/corloc';

/** A box in patches, half-open. */
export type Cells = readonly [row0: number, column0: number, row1: number, column1: number];

/** The object that a method found; `N` is the number of patches, row-major over the grid. */
export interface Discovery {
  readonly cells: Cells;
  /** The patch that the object was grown from. */
  readonly seed: number;
  /** All patches that may be the seed with equal right; the rule's first. */
  readonly tiedSeeds: readonly number[];
  /** The distinct boxes of the other ways to resolve equal values, without the rule's. */
  readonly otherCells: readonly Cells[];
  /** 1 in the connected component that became the box, `[N]`. */
  readonly foreground: Uint8Array;
  /** What the method cuts: TokenCut's eigenvector, LOST's sum of similarities, DINO-seg's attention; `[N]`. */
  readonly map: Float64Array;
  /** Similarity of the seed (for DINO-seg: of the class token) to every patch, `[N]`. */
  readonly affinity: Float64Array;
  /** Further numbers of the method. */
  readonly detail: Readonly<Record<string, number>>;
}

/**
 * The box in pixels of a box in patches, clipped to the picture, which may be smaller than its patches (padding).
 *
 * @throws EvalsError `options`
 */
export function boxOfCells(
  cells: Cells,
  patchSize: number,
  picture: { readonly width: number; readonly height: number },
): Box {
  checkArgument('boxOfCells', 'cells', cells, 'numbers');
  checkArgument('boxOfCells', 'picture', picture, 'object');
  const sides = [patchSize, picture.width, picture.height];
  checkOption(
    cells.length === 4 && sides.every((side) => Number.isInteger(side) && side > 0),
    `boxOfCells: [${cells}] with patch size ${patchSize} in ${picture.width} x ${picture.height}; give four cells and positive integers`,
  );
  const [row0, column0, row1, column1] = cells;
  return [
    column0 * patchSize,
    row0 * patchSize,
    Math.min(column1 * patchSize, picture.width),
    Math.min(row1 * patchSize, picture.height),
  ];
}

/** The patch tokens of one picture, checked. */
export function tokensOfOne(what: string, features: PatchFeatures): Matrix {
  checkSet(what, features, PATCHES);
  const tokens = patchTokens(features);
  if (imageCount(features) !== 1) {
    throw new EvalsError(
      'features',
      `${what}: the features are of ${imageCount(features)} pictures; give one at a time`,
    );
  }
  return tokens;
}

/** The distinct boxes that differ from `cells`, in order. */
export function otherBoxes(cells: Cells, found: readonly Cells[]): Cells[] {
  const seen = new Set([cells.join()]);
  return found.filter((each) => !seen.has(each.join()) && seen.add(each.join()));
}
