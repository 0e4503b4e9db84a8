/**
 * Finds what a ray meets: the nearest part of the nearest toy.
 *
 * Every part of every toy is an affine image of a unit solid: the ray is taken into the solid's frame, where the test is
 * simple and `t` stays what it was. Bounding spheres around toys and parts settle most rays.
 */

import type { Scene, SceneObject } from './scene';
import { intersect, type Ray, type Solid, toNormal } from './solids';
import { type Paint, type Part, TOYS, type Triple } from './toys';

/** A part ready for tracing: `u = M (p - center)` takes world points into the solid's frame. */
interface PlacedPart {
  solid: Solid;
  paint: Paint;
  center: Float64Array;
  radius: number;
  /** M, row by row. */
  matrix: Float64Array;
}

interface PlacedToy {
  object: SceneObject;
  /** Sine and cosine of the yaw over the scale: turns world offsets into the toy's own frame. */
  turn: readonly [sin: number, cos: number];
  center: Float64Array;
  radius: number;
  parts: PlacedPart[];
}

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

  /** `t` where the ray enters a part, or Infinity. */
  function meet(part: PlacedPart, ray: Ray, squared: number): number {
    if (misses(part.center, part.radius, ray, squared)) return Number.POSITIVE_INFINITY;
    const { center, matrix: m } = part;
    const x = ray[0]! - center[0]!;
    const y = ray[1]! - center[1]!;
    const z = ray[2]! - center[2]!;
    for (let row = 0; row < 3; row++) {
      const a = m[3 * row]!;
      const b = m[3 * row + 1]!;
      const c = m[3 * row + 2]!;
      local[row] = a * x + b * y + c * z;
      local[row + 3] = a * ray[3]! + b * ray[4]! + c * ray[5]!;
    }
    return intersect(part.solid, local);
  }

  return {
    toys,
    trace(ray, hit) {
      hit.t = Number.POSITIVE_INFINITY;
      hit.object = -1;
      const squared = ray[3]! ** 2 + ray[4]! ** 2 + ray[5]! ** 2;
      for (let i = 0; i < toys.length; i++) {
        const { center, radius, parts } = toys[i]!;
        if (misses(center, radius, ray, squared)) continue;
        for (let j = 0; j < parts.length; j++) {
          const t = meet(parts[j]!, ray, squared);
          if (t >= hit.t) continue;
          hit.t = t;
          hit.object = i;
          hit.part = j;
        }
      }
    },
    occluded(ray) {
      const squared = ray[3]! ** 2 + ray[4]! ** 2 + ray[5]! ** 2;
      for (let i = 0; i < toys.length; i++) {
        const { center, radius, parts } = toys[i]!;
        if (misses(center, radius, ray, squared)) continue;
        for (let j = 0; j < parts.length; j++) {
          if (meet(parts[j]!, ray, squared) < Number.POSITIVE_INFINITY) return true;
        }
      }
      return false;
    },
    normal({ solid, center, matrix: m }, point) {
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
    },
  };
}

/** Whether a ray stays outside a sphere or has it behind. `squared` is the direction's squared length. */
function misses(center: Float64Array, radius: number, ray: Ray, squared: number): boolean {
  const x = center[0]! - ray[0]!;
  const y = center[1]! - ray[1]!;
  const z = center[2]! - ray[2]!;
  const along = x * ray[3]! + y * ray[4]! + z * ray[5]!;
  const outside = x * x + y * y + z * z - radius * radius;
  return outside > 0 && (along < 0 || along * along < outside * squared);
}

/** Takes a point of a toy's own frame into the world. */
export function toWorld(object: SceneObject, [x, y, z]: Triple): Triple {
  const sin = Math.sin(object.yaw) * object.scale;
  const cos = Math.cos(object.yaw) * object.scale;
  return [object.x + cos * x + sin * z, object.scale * y, object.z - sin * x + cos * z];
}

function placeToy(object: SceneObject): PlacedToy {
  const parts = TOYS[object.toy]!.parts.map((part) => placePart(object, part));
  const center = Float64Array.from(toWorld(object, [0, 0.55, 0]));
  const reach = (part: PlacedPart): number =>
    part.radius + Math.hypot(...center.map((coordinate, axis) => part.center[axis]! - coordinate));
  const turn = [Math.sin(object.yaw) / object.scale, Math.cos(object.yaw) / object.scale] as const;
  return { object, turn, center, radius: Math.max(...parts.map(reach)), parts };
}

function placePart(object: SceneObject, part: Part): PlacedPart {
  const axes = turned(part.turn ?? [0, 0, 0]);
  const sin = Math.sin(object.yaw);
  const cos = Math.cos(object.yaw);
  // Row i of M: axis i of the part, turned with the toy, over the half extent. Turning back is transposing.
  const rows = axes.flatMap(([x, y, z], i) => {
    const over = 1 / (part.half[i]! * object.scale);
    return [(cos * x + sin * z) * over, y * over, (-sin * x + cos * z) * over];
  });
  const round = part.solid === 'sphere';
  const reach = round ? Math.max(...part.half) : reachOf(part);
  return {
    solid: part.solid,
    paint: part.paint,
    center: Float64Array.from(toWorld(object, part.at)),
    radius: reach * object.scale * 1.0001,
    matrix: Float64Array.from(rows),
  };
}

/** Radius of the sphere around a part's centre that holds it. */
function reachOf({ solid, half: [x, y, z] }: Part): number {
  return solid === 'cube' ? Math.hypot(x, y, z) : Math.hypot(Math.max(x, z), y);
}

/** Axes of a frame turned by degrees about x, then y, then z. */
function turned([x, y, z]: Triple): readonly Triple[] {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const spin = ([a, b]: [number, number], angle: number): [number, number] => [
    a * Math.cos(angle) - b * Math.sin(angle),
    a * Math.sin(angle) + b * Math.cos(angle),
  ];
  return [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ].map((axis) => {
    let [ax, ay, az] = axis as [number, number, number];
    [ay, az] = spin([ay, az], radians(x));
    [az, ax] = spin([az, ax], radians(y));
    [ax, ay] = spin([ax, ay], radians(z));
    return [ax, ay, az] as const;
  });
}
