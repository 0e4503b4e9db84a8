/**
 * One pair matched and measured: the cell of every key point, and how far from its true place that cell lies.
 *
 * Both pictures were padded right and below to squares and resized to `side` pixels. The protocol (Probe3D's on SPair-71k) keeps its key points
 * as whole pixels, first of the picture, then of the square: `floor(floor(x) side / longer)`. A cell stands for its top left corner,
 * `(column, row) / cells`, and an error is the distance to the truth in shares of the square, divided by that of the box's longer side.
 *
 * PCK as it is defined elsewhere measures the same cells without these two roundings: from the centre of the cell to the key point as annotated.
 */
import { checkOption } from '../errors';
import type { PatchFeatures } from '../features';
import { boxSize, checkPair, type KeyPointPair, longerSide } from './key-point-pair';
import { matchPoints, type Point } from './match-points';

/** One value for each key point of the pair. */
export interface PairMatch {
  /** Flat index of the cell in the target's grid. */
  readonly cells: Int32Array;
  readonly similarities: Float64Array;
  /** Its centre, in pixels of the target picture; of a padded one it may lie beside it. */
  readonly found: readonly Point[];
  /** Error by the protocol, in longer sides of the target's box. */
  readonly errors: Float64Array;
  /** The same from the centre of the cell to the point as it was annotated. */
  readonly pckErrors: Float64Array;
  /** Share of all cells of the target whose error by the protocol is below 0.1: what a random cell would score. */
  readonly chance: Float64Array;
}

/** Below this share of the box's longer side a match counts as right, in the protocol. */
export const RECALL_THRESHOLD = 0.1;

/**
 * @param side pixels of the squares that the features are of, without a margin that the model may have added
 * @throws EvalsError as `matchPoints`; `argument` or `options` for a pair or a side that cannot be
 */
export function matchPair(source: PatchFeatures, target: PatchFeatures, pair: KeyPointPair, side: number): PairMatch {
  checkOption(Number.isInteger(side) && side > 0, `matchPair: side is ${side}; it must be a whole number of pixels`);
  checkPair('matchPair', pair);
  const from = longerSide(pair.sourceSize);
  const to = longerSide(pair.targetSize);
  const box = longerSide(boxSize(pair.targetBox));
  const { cells, similarities } = matchPoints(
    source,
    target,
    pair.points.map((point) => wholePixels(point.source, from, side)),
  );
  const truths = pair.points.map((point) => wholePixels(point.target, to, side));
  const error = (cell: number, truth: Point): number => distance(placeOf(cell, target.grid, 0), truth) / (box / to);
  const found = Array.from(cells, (cell): Point => {
    const [x, y] = placeOf(cell, target.grid, 0.5);
    return [x * to, y * to];
  });
  const count = target.grid[0] * target.grid[1];
  const near = (truth: Point): number => {
    let hits = 0;
    for (let cell = 0; cell < count; cell++) if (error(cell, truth) < RECALL_THRESHOLD) hits++;
    return hits / count;
  };
  return {
    cells,
    similarities,
    found,
    errors: Float64Array.from(truths, (truth, i) => error(cells[i]!, truth)),
    pckErrors: Float64Array.from(found, (place, i) => distance(place, pair.points[i]!.target) / box),
    chance: Float64Array.from(truths, near),
  };
}

const distance = ([x, y]: Point, [u, v]: Point): number => Math.hypot(x - u, y - v);

/** A key point in whole pixels of the square, as a share of its side. */
function wholePixels([x, y]: Point, longer: number, side: number): Point {
  const whole = (at: number): number => Math.floor((Math.floor(at) * side) / longer) / side;
  return [whole(x), whole(y)];
}

/** A place in a cell as shares of the grid: `inCell` 0 is its top left corner, 0.5 its centre. */
const placeOf = (cell: number, [rows, columns]: PatchFeatures['grid'], inCell: number): Point => [
  ((cell % columns) + inCell) / columns,
  (Math.floor(cell / columns) + inCell) / rows,
];
