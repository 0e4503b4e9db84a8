/**
 * A toy where it stands in a scene, ready for tracing: every part as the affine image of a unit solid.
 *
 * The map is kept the other way round, `u = M (p - center)` from the world into the solid's frame, with bounding spheres
 * around toys and parts.
 */

import type { SceneObject } from './scene';
import type { Solid } from './solids';
import { type Paint, type Part, TOYS, type Triple } from './toys';

/** A part ready for tracing. */
export interface PlacedPart {
  solid: Solid;
  paint: Paint;
  center: Float64Array;
  radius: number;
  /** M, row by row. */
  matrix: Float64Array;
}

export interface PlacedToy {
  object: SceneObject;
  /** Sine and cosine of the yaw over the scale: turns world offsets into the toy's own frame. */
  turn: readonly [sin: number, cos: number];
  center: Float64Array;
  radius: number;
  parts: PlacedPart[];
}

/** Takes a point of a toy's own frame into the world. */
export function toWorld(object: SceneObject, [x, y, z]: Triple): Triple {
  const sin = Math.sin(object.yaw) * object.scale;
  const cos = Math.cos(object.yaw) * object.scale;
  return [object.x + cos * x + sin * z, object.scale * y, object.z - sin * x + cos * z];
}

/** Places the toy of an object. */
export function placeToy(object: SceneObject): PlacedToy {
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
