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
  /** Image point and depth of a world point. */
  project(point: Triple): { u: number; v: number; depth: number };
}

/** The camera of a scene. */
export function createCamera({ eye, target, tangent }: Scene['camera']): Camera {
  const forward = scaled([target[0] - eye[0], target[1] - eye[1], target[2] - eye[2]], 1);
  const right = scaled([-forward[2], 0, forward[0]], tangent);
  const up = scaled(cross(right, forward), tangent);
  return {
    eye,
    ray(u, v, ray) {
      for (let i = 0; i < 3; i++) {
        ray[i] = eye[i]!;
        ray[i + 3] = forward[i]! + u * right[i]! + v * up[i]!;
      }
    },
    project(point) {
      const offset: Triple = [point[0] - eye[0], point[1] - eye[1], point[2] - eye[2]];
      const depth = dot(offset, forward);
      const unit = depth * tangent * tangent;
      return { u: dot(offset, right) / unit, v: dot(offset, up) / unit, depth };
    },
  };
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
