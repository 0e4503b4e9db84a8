/**
 * A pinhole camera: from image points to rays, and from points of the world to image points.
 *
 * The ray through image point `(u, v)`, both in `[-1, 1]` with `v` upwards, is `eye + t d` with
 * `d = forward + tangent (u right + v up)`: as `d` has a component of exactly 1 along the optical axis, `t` is the depth.
 */

import type { Scene } from './scene';
import type { Ray } from './solids';
import type { Triple } from './toys';

export interface Camera {
  eye: Triple;
  /** Writes the ray through `(u, v)`. */
  ray(u: number, v: number, ray: Ray): void;
  /** Prepares the rays of a picture of `size x size` pixels: through `(x + dx, y + dy)` for every offset. */
  grid(size: number, offsets: Offsets): RayGrid;
  /** Image point and depth of a world point. */
  project(point: Triple): { u: number; v: number; depth: number };
  /** Image points between which a sphere is seen; everything where it reaches behind the eye. */
  bounds(center: ArrayLike<number>, radius: number): { u: Interval; v: Interval };
}

/** Where rays go through a pixel, in shares of it. */
export type Offsets = readonly (readonly [dx: number, dy: number])[];

/** The same rays as `ray` gives, for the sum of two numbers each. */
export interface RayGrid {
  /** Writes the ray through offset `k` of pixel `(x, y)`, counted from the top left. */
  ray(x: number, y: number, k: number, ray: Ray): void;
}

type Interval = readonly [from: number, to: number];

/** The camera of a scene. */
export function createCamera({ eye, target, tangent }: Scene['camera']): Camera {
  const forward = scaled([target[0] - eye[0], target[1] - eye[1], target[2] - eye[2]], 1);
  const right = scaled([-forward[2], 0, forward[0]], tangent);
  const up = scaled(cross(right, forward), tangent);
  const fromEye = ([x, y, z]: Triple): Triple => [x - eye[0], y - eye[1], z - eye[2]];
  return {
    eye,
    ray(u, v, ray) {
      for (let i = 0; i < 3; i++) {
        ray[i] = eye[i]!;
        ray[i + 3] = forward[i]! + u * right[i]! + v * up[i]!;
      }
    },
    grid(size, offsets) {
      const columns = new Float64Array(3 * size * offsets.length);
      const rows = new Float64Array(3 * size * offsets.length);
      for (let pixel = 0, at = 0; pixel < size; pixel++) {
        for (let k = 0; k < offsets.length; k++) {
          const u = (2 * (pixel + offsets[k]![0])) / size - 1;
          const v = 1 - (2 * (pixel + offsets[k]![1])) / size;
          for (let i = 0; i < 3; i++, at++) {
            columns[at] = forward[i]! + u * right[i]!;
            rows[at] = v * up[i]!;
          }
        }
      }
      return {
        ray(x, y, k, ray) {
          const column = 3 * (x * offsets.length + k);
          const row = 3 * (y * offsets.length + k);
          ray[0] = eye[0];
          ray[1] = eye[1];
          ray[2] = eye[2];
          ray[3] = columns[column]! + rows[row]!;
          ray[4] = columns[column + 1]! + rows[row + 1]!;
          ray[5] = columns[column + 2]! + rows[row + 2]!;
        },
      };
    },
    project(point) {
      const offset = fromEye(point);
      const depth = dot(offset, forward);
      const unit = depth * tangent * tangent;
      return { u: dot(offset, right) / unit, v: dot(offset, up) / unit, depth };
    },
    bounds(center, radius) {
      const offset = fromEye([center[0]!, center[1]!, center[2]!]);
      const depth = dot(offset, forward);
      const along = (axis: Triple): Interval => {
        const [from, to] = slopes(dot(offset, axis) / tangent, depth, radius);
        return [from / tangent, to / tangent];
      };
      return { u: along(right), v: along(up) };
    },
  };
}

/**
 * Slopes `across / depth` of the two lines through the origin that touch a disc, from `|across - slope depth| = radius sqrt(1 + slope^2)`.
 */
function slopes(across: number, depth: number, radius: number): Interval {
  const behind = depth * depth - radius * radius;
  if (depth <= 0 || behind <= 0) return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const middle = across * depth;
  const reach = radius * Math.sqrt(across * across + behind);
  return [(middle - reach) / behind, (middle + reach) / behind];
}

const dot = (a: Triple, b: Triple): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

const cross = (a: Triple, b: Triple): Triple => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** The vector in the same direction with a given length. */
function scaled([x, y, z]: Triple, length: number): Triple {
  const factor = length / Math.hypot(x, y, z);
  return [x * factor, y * factor, z * factor];
}
