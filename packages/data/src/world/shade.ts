/**
 * The colour of one ray: texture times light.
 *
 * A lamp at infinity (Lambert, with a narrow highlight on toys, cast shadows) and light from the sky above, weaker under and
 * next to toys. Distance fades the floor into the horizon.
 */

import type { Camera } from './camera';
import { noise } from './noise';
import type { Colour, Covering, Scene } from './scene';
import type { Ray } from './solids';
import { COVERINGS, TEXTURES } from './textures';
import type { Hit, Tracer } from './tracer';

const LAMP: Colour = [0.89, 0.85, 0.78];
const AMBIENT = 0.42;
const HIGHLIGHT = 0.22;
const DARK: Colour = [0.025, 0.025, 0.03];
/** Depth over which the floor's pattern fades, and the floor into the horizon. */
const PATTERN_FADE = 9;
const HAZE = 16;
/** Distance above a surface at which its shadow ray starts. */
const LIFT = 1e-4;

export interface Shader {
  /** The ray to be coloured: to be written before `shade`. */
  readonly ray: Ray;
  /**
   * Colour of the ray, in linear light, written to `colour`. `hit` is the nearest toy on it, and becomes what is seen: no toy
   * where floor or wall are nearer, with the depth there, Infinity for sky.
   */
  shade(colour: Float64Array, hit: Hit): void;
}

/** What colours the rays of one scene, with numbers that are reused from ray to ray. */
interface Stage {
  readonly scene: Scene;
  readonly tracer: Tracer;
  readonly floorPattern: FlatPattern;
  readonly wall: PlacedWall | null;
  readonly camera: Camera;
  readonly ray: Ray;
  readonly shadowRay: Ray;
  /** Where the ray ends, and the normal of the surface there. */
  readonly point: Float64Array;
  readonly normal: Float64Array;
}

/** A wall that faces its camera squarely in plan, behind the point that it looks at. */
interface PlacedWall {
  /** Direction towards the wall, of unit length in plan, and how far away the eye is. */
  readonly x: number;
  readonly z: number;
  readonly distance: number;
  readonly pattern: FlatPattern;
  readonly colours: readonly [Colour, Colour];
}

type FlatPattern = (x: number, y: number) => number;

/** Prepares a scene for colouring its rays. */
export function createShader(scene: Scene, tracer: Tracer, camera: Camera): Shader {
  const stage: Stage = {
    scene,
    tracer,
    floorPattern: patternOf(scene.floor),
    wall: placeWall(scene),
    camera,
    ray: new Float64Array(6),
    shadowRay: Float64Array.from([0, 0, 0, ...scene.light]),
    point: new Float64Array(3),
    normal: new Float64Array(3),
  };
  return {
    ray: stage.ray,
    shade: (colour, hit) => shadeSurface(stage, colour, hit),
  };
}

function placeWall({ wall, camera }: Scene): PlacedWall | null {
  if (!wall) return null;
  const { eye, target } = wall.faces ?? camera;
  const [x, z] = [target[0] - eye[0], target[2] - eye[2]];
  const plan = Math.hypot(x, z);
  const { covering, distance } = wall;
  const closer = (x * (camera.eye[0] - eye[0]) + z * (camera.eye[2] - eye[2])) / plan;
  return {
    x: x / plan,
    z: z / plan,
    distance: plan + distance - closer,
    pattern: patternOf(covering),
    colours: covering.colours,
  };
}

/** Colours the nearest of toy, floor, wall and sky; `hit` is the nearest toy, and none where something else is nearer. */
function shadeSurface(stage: Stage, colour: Float64Array, hit: Hit): void {
  const { ray, point, wall } = stage;
  const floorDepth = ray[4]! < 0 ? -ray[1]! / ray[4]! : Number.POSITIVE_INFINITY;
  const towardsWall = wall ? ray[3]! * wall.x + ray[5]! * wall.z : 0;
  const wallDepth = wall && towardsWall > 0 ? wall.distance / towardsWall : Number.POSITIVE_INFINITY;
  const depth = Math.min(hit.t, floorDepth, wallDepth);
  for (let i = 0; i < 3; i++) point[i] = ray[i]! + depth * ray[i + 3]!;
  if (depth === Number.POSITIVE_INFINITY) shadeSky(stage, colour);
  else if (depth === hit.t) shadeToy(stage, colour, hit);
  else {
    hit.object = -1;
    if (depth === floorDepth) shadeFloor(stage, colour, depth);
    else shadeWall(stage, wall!, colour);
  }
  hit.t = depth;
}

/** Lights `colour` at the point; `open` is how much of the sky is seen. Returns the share of the lamp. */
function lit(
  { scene: { light }, tracer, shadowRay, point, normal }: Stage,
  colour: Float64Array,
  open: number,
): number {
  const facing = normal[0]! * light[0] + normal[1]! * light[1] + normal[2]! * light[2];
  for (let i = 0; i < 3; i++) shadowRay[i] = point[i]! + LIFT * normal[i]!;
  const sunny = facing > 0 && !tracer.occluded(shadowRay) ? facing : 0;
  const diffuse = AMBIENT * open * (0.75 + 0.25 * normal[1]!);
  for (let i = 0; i < 3; i++) colour[i] = colour[i]! * (diffuse + sunny * LAMP[i]!);
  return sunny;
}

function shadeToy(stage: Stage, colour: Float64Array, hit: Hit): void {
  const { tracer, point, normal } = stage;
  const { object, parts, turn } = tracer.toys[hit.object]!;
  const part = parts[hit.part]!;
  const { pattern } = TEXTURES[object.texture]!;
  if (part.paint === 'dark') copy(colour, DARK);
  else if (object.shift) {
    // A slide covers what it falls on, accents too.
    const [across, up] = object.shift;
    const { u, v } = stage.camera.project([point[0]!, point[1]!, point[2]!]);
    blend(colour, object.colours, pattern(u / 2 + across, v / 2 + up, 0, object.frequency));
  } else if (part.paint === 'accent') copy(colour, object.accent);
  else {
    const [sin, cos] = turn;
    const x = point[0]! - object.x;
    const y = point[1]! / object.scale;
    const z = point[2]! - object.z;
    blend(colour, object.colours, pattern(cos * x - sin * z, y, sin * x + cos * z, object.frequency));
  }
  copy(normal, point);
  tracer.normal(part, normal);
  if (lit(stage, colour, Math.min(1, 0.55 + 0.6 * point[1]!)) === 0) return;
  const cosine = halfway(stage);
  if (cosine < 0.8) return;
  for (let i = 0; i < 3; i++) colour[i] = colour[i]! + HIGHLIGHT * cosine ** 40;
}

/** Cosine between the normal and the direction halfway between lamp and camera. */
function halfway({ scene: { light }, ray, normal }: Stage): number {
  const length = directionLength(ray);
  const x = light[0] - ray[3]! / length;
  const y = light[1] - ray[4]! / length;
  const z = light[2] - ray[5]! / length;
  return (normal[0]! * x + normal[1]! * y + normal[2]! * z) / Math.sqrt(x * x + y * y + z * z);
}

function shadeFloor(stage: Stage, colour: Float64Array, depth: number): void {
  const { scene, tracer, point, normal } = stage;
  const [x, z] = [point[0]!, point[2]!];
  blend(colour, scene.floor.colours, 0.5 + (stage.floorPattern(x, z) - 0.5) * Math.exp(-depth / PATTERN_FADE));
  let open = 1;
  for (let i = 0; i < tracer.toys.length; i++) {
    const { object } = tracer.toys[i]!;
    const near = ((x - object.x) ** 2 + (z - object.z) ** 2) / (0.3 * object.scale ** 2);
    if (near < 6) open *= 1 - 0.55 * Math.exp(-near);
  }
  normal[0] = 0;
  normal[1] = 1;
  normal[2] = 0;
  lit(stage, colour, open);
  if (stage.wall) return;
  const horizon = scene.sky[0];
  const haze = 1 - Math.exp(-((depth / HAZE) ** 2));
  for (let i = 0; i < 3; i++) colour[i] = colour[i]! + haze * (horizon[i]! - colour[i]!);
}

function shadeWall({ scene: { light }, point }: Stage, wall: PlacedWall, colour: Float64Array): void {
  blend(colour, wall.colours, wall.pattern(point[0]! * wall.z - point[2]! * wall.x, point[1]!));
  const facing = Math.max(0, -(light[0] * wall.x + light[2] * wall.z));
  const brightness = 1.1 * AMBIENT * (1 - 0.4 * Math.exp(-3 * point[1]!)) + 0.5 * facing;
  for (let i = 0; i < 3; i++) colour[i] = colour[i]! * brightness;
}

function shadeSky({ scene: { sky }, ray }: Stage, colour: Float64Array): void {
  const height = Math.max(0, ray[4]! / directionLength(ray));
  blend(colour, sky, Math.sqrt(height));
  const over = 2.5 / (height + 0.12);
  const cloud = Math.max(0, noise(ray[3]! * over + 40, ray[5]! * over + 40, 7) - 0.5) * Math.min(1, 6 * height);
  for (let i = 0; i < 3; i++) colour[i] = colour[i]! + cloud * (1 - colour[i]!);
}

const directionLength = (ray: Float64Array): number => Math.sqrt(ray[3]! ** 2 + ray[4]! ** 2 + ray[5]! ** 2);

/** Copies three numbers; `set` costs many times as much. */
function copy(to: Float64Array, from: ArrayLike<number>): void {
  to[0] = from[0]!;
  to[1] = from[1]!;
  to[2] = from[2]!;
}

/** Mixes two colours into `colour`. */
function blend(colour: Float64Array, colours: readonly [Colour, Colour], share: number): void {
  for (let i = 0; i < 3; i++) colour[i] = colours[0][i]! + share * (colours[1][i]! - colours[0][i]!);
}

function patternOf({ pattern, scale, angle }: Covering): FlatPattern {
  const draw = COVERINGS[pattern]!;
  const cos = Math.cos(angle) * scale;
  const sin = Math.sin(angle) * scale;
  return (x, y) => draw(cos * x + sin * y, cos * y - sin * x);
}
