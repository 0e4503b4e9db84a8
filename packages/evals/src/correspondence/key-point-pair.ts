/** Two pictures with key points seen in both, as plain data: what semantic correspondence is judged on. */
import { checkArgument, checkOption } from '../errors';
import type { Point } from './match-points';

/** One pair; positions in pixels, (0, 0) at the top left. */
export interface KeyPointPair {
  readonly name: string;
  /** Class of both subjects, 0-based. */
  readonly category: number;
  /** How much the viewpoint changes: 0, 1 or 2; undefined where nobody said. */
  readonly viewpoint?: number | undefined;
  readonly sourceSize: readonly [width: number, height: number];
  readonly targetSize: readonly [width: number, height: number];
  readonly points: readonly KeyPoint[];
  /** Around the subject of the target: by its longer side errors are measured. */
  readonly targetBox: readonly [x0: number, y0: number, x1: number, y1: number];
}

/** One place of the subject in both pictures. */
export interface KeyPoint {
  readonly name: string;
  readonly source: Point;
  readonly target: Point;
}

/** Longer side of a picture or a box. */
export const longerSide = ([width, height]: readonly [width: number, height: number]): number =>
  Math.max(width, height);

/**
 * Refuses a pair that cannot be judged.
 *
 * @throws EvalsError `argument` for values of another kind, `options` for a box or picture without extent and points outside their pictures
 */
export function checkPair(what: string, pair: KeyPointPair): void {
  checkArgument(what, 'pair', pair, 'object');
  const { name, sourceSize, targetSize, targetBox, points } = pair;
  checkArgument(what, 'pair.name', name, 'string');
  checkArgument(what, 'pair.category', pair.category, 'number');
  checkArgument(what, 'pair.points', points, 'list');
  const extents = { sourceSize, targetSize, targetBox };
  for (const [part, extent] of Object.entries(extents)) {
    checkArgument(what, `pair.${part}`, extent, 'numbers');
    const [width, height] = extent.length === 4 ? boxSize(extent) : (extent as readonly [number, number]);
    checkOption(
      Number.isFinite(width + height) && width > 0 && height > 0,
      `${what}: ${part} of ${name} is [${extent}]; it must have an extent`,
    );
  }
  for (const { name: point, source, target } of points)
    for (const [[x, y], [width, height]] of [
      [source, sourceSize],
      [target, targetSize],
    ] as const)
      checkOption(
        x >= 0 && y >= 0 && x <= width && y <= height,
        `${what}: point ${point} of ${name} is at (${x}, ${y}), outside its picture of ${width} x ${height}; leave it out`,
      );
}

/** Width and height of a box. */
export const boxSize = ([x0, y0, x1, y1]: KeyPointPair['targetBox']): [width: number, height: number] => [
  x1 - x0,
  y1 - y0,
];
