/**
 * How a scene moves: toys slide over the floor and turn about the vertical, the camera sways around the point that it looks at.
 *
 * Everything that moves is a number that swings about its start with one period for all,
 *
 *   value(frame) = start + reach (sin(phase + 2 pi frame / PERIOD) - sin(phase)),
 *
 * so that it changes by at most `2 pi reach / PERIOD` from frame to frame, stays within `2 reach` of its start for however many
 * frames, and what holds for one period of a scene (nothing collides, all is in view) holds for ever. Two swings, along a
 * heading and across it, are an ellipse on the floor.
 */

import type { Random } from '../random';
import { createCamera } from './camera';
import type { Range } from './grades';
import { toWorld } from './placed-toy';
import type { Scene, SceneObject } from './scene';

/** Frames after which all is where it was. */
export const PERIOD = 48;

/** A number that swings. */
interface Swing {
  readonly reach: number;
  readonly phase: number;
}

/** How one toy moves: toy heights along `heading` and across it, radians about the vertical. */
interface Path {
  readonly heading: number;
  readonly along: Swing;
  readonly across: Swing;
  readonly turn: Swing;
}

/** How the camera moves around its target, in radians and in shares of its distance, and how that moves on the floor. */
interface Sway {
  readonly azimuth: Swing;
  readonly elevation: Swing;
  readonly distance: Swing;
  readonly x: Swing;
  readonly z: Swing;
}

export interface Motion {
  /** One for each toy of the scene. */
  readonly paths: readonly Path[];
  readonly camera: Sway;
}

/** How far what moves reaches to either side. */
const REACH: Readonly<Record<keyof Omit<Path, 'heading'> | 'azimuth' | 'elevation' | 'distance' | 'target', Range>> = {
  along: [0.15, 0.6],
  across: [0, 0.25],
  turn: [0.1, 0.8],
  azimuth: [0.02, 0.1],
  elevation: [0, 0.04],
  distance: [0, 0.04],
  target: [0, 0.05],
};

/** Draws how a scene of so many toys moves. */
export function drawMotion(toys: number, random: Random): Motion {
  const swing = (name: keyof typeof REACH): Swing => ({
    reach: random.uniform(...REACH[name]),
    phase: random.uniform(0, 2 * Math.PI),
  });
  const path = (): Path => ({
    heading: random.uniform(0, 2 * Math.PI),
    along: swing('along'),
    across: swing('across'),
    turn: swing('turn'),
  });
  return {
    paths: Array.from({ length: toys }, path),
    camera: {
      azimuth: swing('azimuth'),
      elevation: swing('elevation'),
      distance: swing('distance'),
      x: swing('target'),
      z: swing('target'),
    },
  };
}

/** The scene of a frame; that of frame 0 is the scene itself. The wall stays where it stood before the camera of frame 0. */
export function moved(scene: Scene, motion: Motion, frame: number): Scene {
  const at = ({ reach, phase }: Swing): number =>
    reach * (Math.sin(phase + (2 * Math.PI * (frame % PERIOD)) / PERIOD) - Math.sin(phase));
  const camera = swayed(scene.camera, motion.camera, at);
  const objects = scene.objects.map((object, index) => {
    const { heading, along, across, turn } = motion.paths[index]!;
    const [sin, cos] = [Math.sin(heading), Math.cos(heading)];
    const x = object.x + at(along) * sin + at(across) * cos;
    const z = object.z + at(along) * cos - at(across) * sin;
    const there = { ...object, x, z, yaw: object.yaw + at(turn) };
    return object.shift ? { ...there, shift: carried(object.shift, [object, scene.camera], [there, camera]) } : there;
  });
  return { ...scene, objects, camera, wall: scene.wall && { ...scene.wall, faces: scene.wall.faces ?? scene.camera } };
}

/** Nothing is changed, to the last bit, where nothing has swung. */
function swayed({ eye, target, tangent }: Scene['camera'], sway: Sway, at: (swing: Swing) => number): Scene['camera'] {
  const [x, y, z] = [eye[0] - target[0], eye[1] - target[1], eye[2] - target[2]];
  const plan = Math.hypot(x, z);
  const nearer = 1 + at(sway.distance);
  const [up, round] = [at(sway.elevation), at(sway.azimuth)];
  const flat = (nearer * (plan * Math.cos(up) - y * Math.sin(up))) / plan;
  const [sin, cos] = [Math.sin(round), Math.cos(round)];
  const [east, north] = [at(sway.x), at(sway.z)];
  return {
    eye: [
      eye[0] + (flat * (x * cos + z * sin) - x) + east,
      eye[1] + (nearer * (y * Math.cos(up) + plan * Math.sin(up)) - y),
      eye[2] + (flat * (z * cos - x * sin) - z) + north,
    ],
    target: [target[0] + east, target[1], target[2] + north],
    tangent,
  };
}

type Seen = readonly [object: SceneObject, camera: Scene['camera']];

/** A flat texture lies on the picture: it goes with the middle of its toy there. */
function carried([across, up]: readonly [number, number], from: Seen, to: Seen): readonly [number, number] {
  const [start, end] = [from, to].map(([object, camera]) => createCamera(camera).project(toWorld(object, [0, 0.5, 0])));
  return [across - (end!.u - start!.u) / 2, up - (end!.v - start!.v) / 2];
}
