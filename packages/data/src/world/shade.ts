/**
 * The colour of one ray: texture times light.
 *
 * A lamp at infinity (Lambert, with a narrow highlight on toys, cast shadows) and light from the sky above, weaker under and
 * next to toys. Distance fades the floor into the horizon.
 */

import type { Camera } from './camera';
import { noise } from './noise';
import type { Colour, Covering, Scene } from './scene';
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
  /**
   * Colour of the ray through `(u, v)`, in linear light, written to `colour`; `hit` receives what it met.
   * @returns depth of the surface, Infinity for sky
   */
  shade(u: number, v: number, colour: Float64Array, hit: Hit): number;
}

export function createShader(scene: Scene, camera: Camera, tracer: Tracer): Shader {
  const { light, sky, floor, wall } = scene;
  const floorPattern = covering(floor);
  const wallPattern = wall && covering(wall.covering);
  // The wall faces the camera squarely in plan, behind the point that it looks at.
  const toTarget = [scene.camera.target[0] - camera.eye[0], scene.camera.target[2] - camera.eye[2]] as const;
  const plan = Math.hypot(...toTarget);
  const [wallX, wallZ] = [toTarget[0] / plan, toTarget[1] / plan];
  const wallDistance = wall ? plan + wall.distance : 0;

  const ray = new Float64Array(6);
  const shadowRay = Float64Array.from([0, 0, 0, ...light]);
  const point = new Float64Array(3);
  const normal = new Float64Array(3);

  /** Lights `colour` at `point` with `normal`; `open` is how much of the sky is seen. Returns the share of the lamp. */
  function lit(colour: Float64Array, open: number): number {
    const facing = normal[0]! * light[0] + normal[1]! * light[1] + normal[2]! * light[2];
    for (let i = 0; i < 3; i++) shadowRay[i] = point[i]! + LIFT * normal[i]!;
    const sunny = facing > 0 && !tracer.occluded(shadowRay) ? facing : 0;
    const diffuse = AMBIENT * open * (0.75 + 0.25 * normal[1]!);
    for (let i = 0; i < 3; i++) colour[i] = colour[i]! * (diffuse + sunny * LAMP[i]!);
    return sunny;
  }

  function shadeToy(colour: Float64Array, hit: Hit): void {
    const { object, parts, turn } = tracer.toys[hit.object]!;
    const part = parts[hit.part]!;
    if (part.paint === 'dark') colour.set(DARK);
    else if (part.paint === 'accent') colour.set(object.accent);
    else {
      const x = point[0]! - object.x;
      const z = point[2]! - object.z;
      const pattern = TEXTURES[object.texture]!.pattern;
      const [sin, cos] = turn;
      const share = pattern(cos * x - sin * z, point[1]! / object.scale, sin * x + cos * z, object.frequency);
      blend(colour, object.colours, share);
    }
    normal.set(point);
    tracer.normal(part, normal);
    if (lit(colour, Math.min(1, 0.55 + 0.6 * point[1]!)) === 0) return;
    const cosine = halfway();
    if (cosine < 0.8) return;
    for (let i = 0; i < 3; i++) colour[i] = colour[i]! + HIGHLIGHT * cosine ** 40;
  }

  /** Cosine between the normal and the direction halfway between lamp and camera. */
  function halfway(): number {
    const length = directionLength(ray);
    const x = light[0] - ray[3]! / length;
    const y = light[1] - ray[4]! / length;
    const z = light[2] - ray[5]! / length;
    return (normal[0]! * x + normal[1]! * y + normal[2]! * z) / Math.sqrt(x * x + y * y + z * z);
  }

  function shadeFloor(colour: Float64Array, depth: number): void {
    const [x, z] = [point[0]!, point[2]!];
    blend(colour, floor.colours, 0.5 + (floorPattern(x, z) - 0.5) * Math.exp(-depth / PATTERN_FADE));
    let open = 1;
    for (let i = 0; i < tracer.toys.length; i++) {
      const { object } = tracer.toys[i]!;
      const near = ((x - object.x) ** 2 + (z - object.z) ** 2) / (0.3 * object.scale ** 2);
      if (near < 6) open *= 1 - 0.55 * Math.exp(-near);
    }
    normal.fill(0)[1] = 1;
    lit(colour, open);
    if (wall) return;
    const haze = 1 - Math.exp(-((depth / HAZE) ** 2));
    for (let i = 0; i < 3; i++) colour[i] = colour[i]! + haze * (sky[0][i]! - colour[i]!);
  }

  function shadeWall(colour: Float64Array): void {
    blend(colour, wall!.covering.colours, wallPattern!(point[0]! * wallZ - point[2]! * wallX, point[1]!));
    const facing = Math.max(0, -(light[0] * wallX + light[2] * wallZ));
    const brightness = 1.1 * AMBIENT * (1 - 0.4 * Math.exp(-3 * point[1]!)) + 0.5 * facing;
    for (let i = 0; i < 3; i++) colour[i] = colour[i]! * brightness;
  }

  function shadeSky(colour: Float64Array): void {
    const height = Math.max(0, ray[4]! / directionLength(ray));
    blend(colour, sky, Math.sqrt(height));
    const over = 2.5 / (height + 0.12);
    const cloud = Math.max(0, noise(ray[3]! * over + 40, ray[5]! * over + 40, 7) - 0.5) * Math.min(1, 6 * height);
    for (let i = 0; i < 3; i++) colour[i] = colour[i]! + cloud * (1 - colour[i]!);
  }

  return {
    shade(u, v, colour, hit) {
      camera.ray(u, v, ray);
      tracer.trace(ray, hit);
      const floorDepth = ray[4]! < 0 ? -ray[1]! / ray[4]! : Number.POSITIVE_INFINITY;
      const towardsWall = ray[3]! * wallX + ray[5]! * wallZ;
      const wallDepth = wall && towardsWall > 0 ? wallDistance / towardsWall : Number.POSITIVE_INFINITY;
      const depth = Math.min(hit.t, floorDepth, wallDepth);
      for (let i = 0; i < 3; i++) point[i] = ray[i]! + depth * ray[i + 3]!;
      if (depth === Number.POSITIVE_INFINITY) shadeSky(colour);
      else if (depth === hit.t) shadeToy(colour, hit);
      else {
        hit.object = -1;
        if (depth === floorDepth) shadeFloor(colour, depth);
        else shadeWall(colour);
      }
      return depth;
    },
  };
}

const directionLength = (ray: Float64Array): number => Math.sqrt(ray[3]! ** 2 + ray[4]! ** 2 + ray[5]! ** 2);

/** Mixes two colours into `colour`. */
function blend(colour: Float64Array, colours: readonly [Colour, Colour], share: number): void {
  for (let i = 0; i < 3; i++) colour[i] = colours[0][i]! + share * (colours[1][i]! - colours[0][i]!);
}

function covering({ pattern, scale, angle }: Covering): (x: number, y: number) => number {
  const draw = COVERINGS[pattern]!;
  const cos = Math.cos(angle) * scale;
  const sin = Math.sin(angle) * scale;
  return (x, y) => draw(cos * x + sin * y, cos * y - sin * x);
}
