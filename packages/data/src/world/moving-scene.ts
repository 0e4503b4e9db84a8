/**
 * Draws a scene that moves: a pure function of its index, the number of classes, the seed and the grade.
 *
 * Two or three toys, all of which are seen at frame 0 and mostly later; they may pass in front of each other and never go through
 * each other, the wall or the camera. A drawing for which that does not hold is drawn again.
 */

import { createRandom, type Random } from '../random';
import { sharesOf } from './dominance';
import { arrangeScene, sceneLabel } from './draw-scene';
import { FREEDOM, type Freedom, type Grade } from './grades';
import { drawMotion, type Motion, moved, PERIOD } from './motion';
import type { Scene } from './scene';

export interface MovingScene {
  /** As it is at frame 0. */
  readonly start: Scene;
  readonly motion: Motion;
}

// Streams of a position, behind those of the pictures: attempts count up from the first.
const FIRST = 2 ** 30;

/** Share of the picture that each toy fills at frame 0, and in `MOSTLY` of the looks over a period. */
const SHARE = 0.03;
const LOOKS = 12;
const MOSTLY = 10;

/** Two toys are nearer to each other than this, in toy heights, where they would touch. */
const APART = 0.62;
/** The nearest that a toy comes to the camera, on the floor. */
const NEAREST = 1.2;

/** A camera that sees several toys and where they go, whatever the grade. */
const wider = (freedom: Freedom): Freedom => ({ ...freedom, distance: [2.4, 3.4], height: [0.3, 0.5] });

/** Draws moving scene `index` of a world with `classes` classes. */
export function drawMovingScene(index: number, classes: number, seed: number, grade: Grade): MovingScene {
  const subject = { label: sceneLabel(index, classes, seed), classes, grade, freedom: wider(FREEDOM[grade]) };
  // about every third or fourth one holds
  for (let attempt = 0; ; attempt++) {
    const random = createRandom({ seed, position: index, stream: FIRST + attempt });
    const others = 1 + random.below(2);
    const start = arrangeScene(subject, others, random);
    const scene = withWall({ start, motion: drawMotion(start.objects.length, random) }, random);
    if (start.objects.length > others && isFree(scene) && looksInView(scene) >= MOSTLY) return scene;
  }
}

const frames = (count: number): number[] => Array.from({ length: count }, (_, at) => (at * PERIOD) / count);

/** Whether no toy touches another or comes close to the camera. */
function isFree({ start, motion }: MovingScene): boolean {
  return frames(PERIOD).every((frame) => {
    const { objects, camera } = moved(start, motion, frame);
    return objects.every(
      ({ x, z, scale }, at) =>
        Math.hypot(camera.eye[0] - x, camera.eye[2] - z) > NEAREST &&
        objects.slice(at + 1).every((other) => Math.hypot(other.x - x, other.z - z) > APART * (scale + other.scale)),
    );
  });
}

/** Looks over a period in which each toy is seen; none where one is not at frame 0. */
function looksInView({ start, motion }: MovingScene): number {
  const inView = (scene: Scene, share: number): boolean => sharesOf(scene).every((own) => own >= share);
  if (!inView(start, SHARE)) return 0;
  return frames(LOOKS).filter((frame) => inView(moved(start, motion, frame), SHARE / 2)).length;
}

/** The same with its wall behind wherever the toys go. */
function withWall({ start, motion }: MovingScene, random: Random): MovingScene {
  const gap = random.uniform(0.8, 2);
  if (!start.wall) return { start, motion };
  const { eye, target } = start.camera;
  const [x, z] = [target[0] - eye[0], target[2] - eye[2]];
  const behind = frames(PERIOD).flatMap((frame) =>
    moved(start, motion, frame).objects.map((object) => {
      return (x * (object.x - target[0]) + z * (object.z - target[2])) / Math.hypot(x, z);
    }),
  );
  return { start: { ...start, wall: { ...start.wall, distance: Math.max(...behind) + gap } }, motion };
}
