/**
 * Where points of one picture are found in another by their features alone: the most similar cell of the target's patch grid.
 *
 * Cells have unit norm. The feature of a point is read from the source grid bilinearly, with the corners of the picture at the centres of the
 * corner cells (`align_corners`), as the protocol of Probe3D does, and not normalised again, which no choice depends on. Its products with
 * all target cells are cosines up to that factor; the largest wins, and of equal ones the first, row by row.
 */
import { checkSet, PATCHES } from '../check-features';
import { checkArgument, checkOption, EvalsError } from '../errors';
import { imageCount, type PatchFeatures } from '../features';

/** A place in a picture: across and down. */
export type Point = readonly [x: number, y: number];

/** What was found for each point. */
export interface PointMatches {
  /** Flat index of the cell in the target's grid, row by row. */
  readonly cells: Int32Array;
  /** Its product with the point's feature. */
  readonly similarities: Float64Array;
}

/** Below this a norm counts as this: features of zeros stay zeros. */
const LEAST_NORM = 1e-12;

/**
 * @param source features of the picture that the points are in, of one picture
 * @param target features of the picture that is searched, of one picture, on any grid
 * @param points places in the source as shares of its extent, in `[0, 1]`
 * @throws EvalsError `features` for features of another number of pictures or of unequal width, `options` for a point outside
 */
export function matchPoints(source: PatchFeatures, target: PatchFeatures, points: readonly Point[]): PointMatches {
  checkPicture('source', source);
  checkPicture('target', target);
  if (source.dim !== target.dim)
    throw new EvalsError(
      'features',
      `matchPoints: features are of width ${source.dim} and ${target.dim}; use one model`,
    );
  checkArgument('matchPoints', 'points', points, 'list');
  points.forEach(checkPoint);
  const queries = points.map((point) => featureAt(source, point));
  const cells = new Int32Array(points.length);
  const similarities = new Float64Array(points.length).fill(Number.NEGATIVE_INFINITY);
  const count = target.grid[0] * target.grid[1];
  for (let cell = 0; cell < count; cell++) {
    const norm = normOf(target, cell);
    for (let q = 0; q < queries.length; q++) {
      const similarity = product(queries[q]!, target, cell) / norm;
      if (similarity > similarities[q]!) {
        similarities[q] = similarity;
        cells[q] = cell;
      }
    }
  }
  const lost = similarities.findIndex((similarity) => !Number.isFinite(similarity));
  if (lost >= 0)
    throw new EvalsError('features', `matchPoints: point ${lost} is like no cell, as features are not finite`);
  return { cells, similarities };
}

function checkPicture(name: string, features: PatchFeatures): void {
  checkSet(`matchPoints: ${name}`, features, PATCHES);
  if (imageCount(features) !== 1)
    throw new EvalsError(
      'features',
      `matchPoints: ${name} has ${features.patches.length} values, one picture of ${features.grid.join(' x ')} cells of width ` +
        `${features.dim} has ${features.grid[0] * features.grid[1] * features.dim}`,
    );
}

function checkPoint(point: Point, index: number): void {
  checkArgument('matchPoints', `points[${index}]`, point, 'numbers');
  checkOption(
    point.length === 2 && point.every((at) => at >= 0 && at <= 1),
    `matchPoints: points[${index}] is [${point}]; it must be two shares in [0, 1], across and down`,
  );
}

/** Unit-norm cells around a point, mixed bilinearly `[D]`. */
function featureAt(features: PatchFeatures, [x, y]: Point): Float64Array {
  const [rows, columns] = features.grid;
  const feature = new Float64Array(features.dim);
  for (const [row, down] of taps(y * (rows - 1), rows))
    for (const [column, across] of taps(x * (columns - 1), columns)) {
      const cell = row * columns + column;
      const weight = (down * across) / normOf(features, cell);
      for (let d = 0; d < features.dim; d++) feature[d]! += weight * features.patches[cell * features.dim + d]!;
    }
  return feature;
}

/** The indices on both sides of a position, with their weights. */
function taps(position: number, count: number): readonly (readonly [index: number, weight: number])[] {
  const low = Math.min(Math.floor(position), count - 1);
  const weight = position - low;
  return weight > 0 ? [[low, 1 - weight] as const, [low + 1, weight] as const] : [[low, 1] as const];
}

function normOf({ patches, dim }: PatchFeatures, cell: number): number {
  let sum = 0;
  for (let i = cell * dim; i < (cell + 1) * dim; i++) sum += patches[i]! ** 2;
  return Math.max(Math.sqrt(sum), LEAST_NORM);
}

function product(query: Float64Array, { patches, dim }: PatchFeatures, cell: number): number {
  let sum = 0;
  const first = cell * dim;
  for (let d = 0; d < dim; d++) sum += query[d]! * patches[first + d]!;
  return sum;
}
