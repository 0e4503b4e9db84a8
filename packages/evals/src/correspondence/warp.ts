/**
 * Known warps: projective maps of a square picture onto itself, drawn at random at a stated strength.
 *
 * A warp is a turn and a zoom about the middle and a shift, after which each corner is moved by itself, as when a flat picture is looked
 * at from the side. Four corners and where they go determine the map. Positions are shares of the side, `[0, 1]` from the upper left corner,
 * so that one warp is the same at any resolution and patch size.
 */
import { checkArgument, EvalsError } from '../errors';
import { random } from '../numerics/random';
import type { Point } from './match-points';

/** Nine numbers `m`, row by row: `(x, y)` goes to `((m0 x + m1 y + m2) / w, (m3 x + m4 y + m5) / w)` with `w = m6 x + m7 y + m8`. */
export type Warp = readonly number[];

export type WarpStrength = 'mild' | 'medium' | 'strong';

export interface WarpBounds {
  /** Most that the picture is turned either way, degrees. */
  readonly turn: number;
  /** Largest factor by which it grows or shrinks; factors are uniform in their logarithm. */
  readonly zoom: number;
  /** Most that the whole is then shifted along and across, and each corner by itself, in shares of the side. */
  readonly shift: number;
  readonly corner: number;
}

/** What each strength allows; within it everything is uniform. */
export const WARP_STRENGTHS: Readonly<Record<WarpStrength, WarpBounds>> = {
  mild: { turn: 10, zoom: 1.15, shift: 0.1, corner: 0.04 },
  medium: { turn: 25, zoom: 1.35, shift: 0.15, corner: 0.08 },
  strong: { turn: 45, zoom: 1.6, shift: 0.2, corner: 0.12 },
};

/**
 * Draws the warp of a picture. The same strength, key and seed give the same warp for any model, resolution and set around the picture.
 * @param key tells pictures of a set apart
 * @throws EvalsError `argument` for another strength, `options` for what is no seed
 */
export function drawWarp(strength: WarpStrength, key: string, seed = 0): Warp {
  checkArgument('drawWarp', 'key', key, 'string');
  const bounds = Object.hasOwn(WARP_STRENGTHS, strength) ? WARP_STRENGTHS[strength] : undefined;
  if (!bounds)
    throw new EvalsError(
      'argument',
      `drawWarp: strength is ${JSON.stringify(strength)}; it must be one of ${Object.keys(WARP_STRENGTHS).join(', ')}`,
    );
  random(seed); // refuses what is no seed
  const draws = random(textSeed(`${seed} ${strength} ${key}`));
  const between = (most: number): number => most * (2 * draws.uniform() - 1);
  const angle = (between(bounds.turn) * Math.PI) / 180;
  const factor = Math.exp(between(Math.log(bounds.zoom)));
  const [sin, cos] = [factor * Math.sin(angle), factor * Math.cos(angle)];
  const [across, down] = [0.5 + between(bounds.shift), 0.5 + between(bounds.shift)];
  return squareOnto(
    CORNERS.map(([x, y]): Point => {
      const [u, v] = [x - 0.5, y - 0.5];
      return [across + cos * u - sin * v + between(bounds.corner), down + sin * u + cos * v + between(bounds.corner)];
    }),
  );
}

const CORNERS: readonly Point[] = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];

/**
 * Where a position goes.
 * @throws EvalsError `argument` for what is no warp or position
 */
export function warpPoint(warp: Warp, point: Point): Point {
  checkWarp('warpPoint', warp);
  checkArgument('warpPoint', 'point', point, 'numbers');
  const [x, y] = point;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = warp;
  const w = g * x + h * y + i;
  return [(a * x + b * y + c) / w, (d * x + e * y + f) / w];
}

/**
 * The way back.
 * @throws EvalsError `argument` for what takes the square to a line or turns it over
 */
export function invertWarp(warp: Warp): Warp {
  checkWarp('invertWarp', warp);
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = warp;
  const adjugate = [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ];
  const determinant = a * adjugate[0]! + b * adjugate[3]! + c * adjugate[6]!;
  if (!(determinant > 0))
    throw new EvalsError(
      'argument',
      `invertWarp: warp has determinant ${determinant}; only what is above 0 can be undone`,
    );
  return adjugate.map((entry) => entry / determinant);
}

/** The same warp of positions in pixels of a picture of so many a side. */
export function warpOfPixels(warp: Warp, side: number): Warp {
  checkWarp('warpOfPixels', warp);
  checkArgument('warpOfPixels', 'side', side, 'number');
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = warp;
  return [a, b, c * side, d, e, f * side, g / side, h / side, i];
}

/** Refuses what is no warp. */
export function checkWarp(what: string, warp: unknown): void {
  checkArgument(what, 'warp', warp, 'numbers');
  const { length } = warp as Warp;
  if (length !== 9) throw new EvalsError('argument', `${what}: warp has ${length} numbers; give nine, row by row`);
}

/**
 * The map that takes the corners of the square, clockwise from the upper left, to these places (Heckbert, "Fundamentals of texture
 * mapping and image warping", 1989, section 2.2.3).
 */
function squareOnto([p, q, r, s]: readonly Point[]): Warp {
  const [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = [p!, q!, r!, s!];
  const [dx1, dx2, sx] = [x1 - x2, x3 - x2, x0 - x1 + x2 - x3];
  const [dy1, dy2, sy] = [y1 - y2, y3 - y2, y0 - y1 + y2 - y3];
  const area = dx1 * dy2 - dx2 * dy1;
  const g = (sx * dy2 - dx2 * sy) / area;
  const h = (dx1 * sy - sx * dy1) / area;
  return [x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h, 1];
}

/** A seed from a text: its FNV-1a hash, 32 bits. */
function textSeed(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
