/**
 * A scene as plain data: some toys on a floor, before a sky or a wall, under one lamp, seen by one camera.
 *
 * A class is a toy in a texture ("striped chair"): ten toys in several textures make up to forty classes, ordered so that
 * neither shape nor texture alone tells the classes of a larger world apart. The first toy of a scene is its subject and
 * gives the label.
 */

import type { Grade } from './grades';
import { FLAT, SOLID, TEXTURES } from './textures';
import { TOYS, type Triple } from './toys';

/** Red, green, blue in linear light, `[0, 1]`. */
export type Colour = Triple;

/** One toy of a scene. */
export interface SceneObject {
  class: number;
  /** Index into `TOYS` and `TEXTURES`. */
  toy: number;
  texture: number;
  /** Where it stands on the floor. */
  x: number;
  z: number;
  /** Turn about the vertical, radians. */
  yaw: number;
  scale: number;
  /** The two colours of the texture. */
  colours: readonly [Colour, Colour];
  accent: Colour;
  /** Frequency of the texture: of a solid one in radians per toy height, of a flat one in periods per side of the picture. */
  frequency: number;
  /** How far a flat texture is moved across and up, in sides of the picture; a solid one has none. */
  shift?: readonly [across: number, up: number];
}

/** What a floor or a wall is covered with. */
export interface Covering {
  /** Index into `COVERINGS`. */
  pattern: number;
  scale: number;
  angle: number;
  colours: readonly [Colour, Colour];
}

export interface Scene {
  /** Class of the subject. */
  label: number;
  objects: SceneObject[];
  floor: Covering;
  /** A wall behind everything, or open sky: so far behind the target of the camera that it faces squarely, which is the scene's own unless `faces` is another one. */
  wall: { distance: number; covering: Covering; faces?: Pick<Scene['camera'], 'eye' | 'target'> } | null;
  sky: readonly [horizon: Colour, zenith: Colour];
  /** Unit vector towards the lamp. */
  light: Triple;
  camera: {
    eye: Triple;
    target: Triple;
    /** Half the field of view, as a tangent. */
    tangent: number;
  };
}

/** Largest number of classes. */
export const MAX_CLASSES: number = /* @__PURE__ */ classCount();

function classCount(): number {
  return TOYS.length * SOLID.length;
}

/** Toy and texture of a class, as indices into `TOYS` and `TEXTURES`. */
export function classParts(index: number, grade: Grade): { toy: number; texture: number } {
  const toy = index % TOYS.length;
  const round = Math.floor(index / TOYS.length);
  if (grade === 'hard') return { toy, texture: (index + round) % SOLID.length };
  return { toy, texture: SOLID.length + ((toy + 3 * round) % FLAT.length) };
}

/** Name of a class, e.g. `striped chair`. */
export function className(index: number, grade: Grade): string {
  const { toy, texture } = classParts(index, grade);
  return `${TEXTURES[texture]!.name} ${TOYS[toy]!.name}`;
}
