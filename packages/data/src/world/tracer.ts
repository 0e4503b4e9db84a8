/**
 * Finds what a ray meets: the nearest part of the nearest toy.
 *
 * Every part of every toy is an affine image of a unit solid: the ray is taken into the solid's frame, where the test is
 * simple and `t` stays what it was. Bounding spheres around toys and parts settle most rays.
 */

import { type PlacedPart, type PlacedToy, placeToy } from './placed-toy';
import type { Scene } from './scene';
import { intersect, type Ray, toNormal } from './solids';

/** What a ray met: `t` is Infinity when nothing. */
export interface Hit {
  t: number;
  /** Index of the object, -1 for none. */
  object: number;
  part: number;
}

export interface Tracer {
  readonly toys: readonly PlacedToy[];
  /** Finds the nearest toy along a ray and fills `hit`. */
  trace(ray: Ray, hit: Hit): void;
  /** Whether any toy lies on the ray. */
  occluded(ray: Ray): boolean;
  /** Outward unit normal of a part at a point of its surface, both in the world; written over the point. */
  normal(part: PlacedPart, point: Float64Array): void;
}

/** Prepares a scene's toys for tracing. */
export function createTracer(scene: Scene): Tracer {
  const toys = scene.objects.map(placeToy);
  const local = new Float64Array(6);
  return {
    toys,
    trace: (ray, hit) => trace(toys, ray, hit, local),
    occluded: createOcclusion(toys),
    normal: (part, point) => writeNormal(part, point, local),
  };
}

function trace(toys: readonly PlacedToy[], ray: Ray, hit: Hit, local: Ray): void {
  hit.t = Number.POSITIVE_INFINITY;
  hit.object = -1;
  const squared = squaredSpeed(ray);
  for (let i = 0; i < toys.length; i++) {
    const { center, radius, parts } = toys[i]!;
    if (misses(center, radius, ray, squared)) continue;
    for (let j = 0; j < parts.length; j++) {
      const t = meet(parts[j]!, ray, squared, local);
      if (t >= hit.t) continue;
      hit.t = t;
      hit.object = i;
      hit.part = j;
    }
  }
}

/** Neighbouring rays mostly meet the same part, so that the last one is tried first. */
function createOcclusion(toys: readonly PlacedToy[]): Tracer['occluded'] {
  const local = new Float64Array(6);
  let last: PlacedPart | undefined;
  return (ray) => {
    const squared = squaredSpeed(ray);
    if (last && meet(last, ray, squared, local) < Number.POSITIVE_INFINITY) return true;
    for (let i = 0; i < toys.length; i++) {
      const { center, radius, parts } = toys[i]!;
      if (misses(center, radius, ray, squared)) continue;
      for (let j = 0; j < parts.length; j++) {
        if (meet(parts[j]!, ray, squared, local) === Number.POSITIVE_INFINITY) continue;
        last = parts[j];
        return true;
      }
    }
    return false;
  };
}

/** `t` where the ray enters a part, or Infinity; `local` is room for the ray in the part's frame. */
function meet(part: PlacedPart, ray: Ray, squared: number, local: Ray): number {
  if (misses(part.center, part.radius, ray, squared)) return Number.POSITIVE_INFINITY;
  originToLocal(part, ray, local);
  directionToLocal(part, ray, local);
  return intersect(part.solid, local);
}

/** Takes where a ray starts into a part's frame. */
export function originToLocal({ center, matrix: m }: PlacedPart, ray: Ray, local: Ray): void {
  const x = ray[0]! - center[0]!;
  const y = ray[1]! - center[1]!;
  const z = ray[2]! - center[2]!;
  local[0] = m[0]! * x + m[1]! * y + m[2]! * z;
  local[1] = m[3]! * x + m[4]! * y + m[5]! * z;
  local[2] = m[6]! * x + m[7]! * y + m[8]! * z;
}

/** Takes the direction of a ray into a part's frame. */
export function directionToLocal({ matrix: m }: PlacedPart, ray: Ray, local: Ray): void {
  const x = ray[3]!;
  const y = ray[4]!;
  const z = ray[5]!;
  local[3] = m[0]! * x + m[1]! * y + m[2]! * z;
  local[4] = m[3]! * x + m[4]! * y + m[5]! * z;
  local[5] = m[6]! * x + m[7]! * y + m[8]! * z;
}

function writeNormal({ solid, center, matrix: m }: PlacedPart, point: Float64Array, local: Ray): void {
  const x = point[0]! - center[0]!;
  const y = point[1]! - center[1]!;
  const z = point[2]! - center[2]!;
  for (let row = 0; row < 3; row++) local[row] = m[3 * row]! * x + m[3 * row + 1]! * y + m[3 * row + 2]! * z;
  toNormal(solid, local);
  const u = local[0]!;
  const v = local[1]!;
  const w = local[2]!;
  for (let i = 0; i < 3; i++) point[i] = u * m[i]! + v * m[3 + i]! + w * m[6 + i]!;
  const length = Math.sqrt(point[0]! ** 2 + point[1]! ** 2 + point[2]! ** 2);
  for (let i = 0; i < 3; i++) point[i] = point[i]! / length;
}

const squaredSpeed = (ray: Ray): number => ray[3]! ** 2 + ray[4]! ** 2 + ray[5]! ** 2;

/** Whether a ray stays outside a sphere or has it behind. `squared` is the direction's squared length. */
function misses(center: Float64Array, radius: number, ray: Ray, squared: number): boolean {
  const x = center[0]! - ray[0]!;
  const y = center[1]! - ray[1]!;
  const z = center[2]! - ray[2]!;
  const along = x * ray[3]! + y * ray[4]! + z * ray[5]!;
  const outside = x * x + y * y + z * z - radius * radius;
  return outside > 0 && (along < 0 || along * along < outside * squared);
}
