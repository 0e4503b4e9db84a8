/** How much of a picture each toy of a scene fills, and how clearly the first one is its subject, by a coarse look through the camera. */

import { createCamera } from './camera';
import type { Scene } from './scene';
import { createTracer } from './tracer';
import { lookAt, objectOf, wholeFilm } from './view';

/** Rays a side of the coarse look. */
const GRID = 24;

/** The share of the picture that the first toy fills, and how many times the next largest toy it is. */
export function dominance(scene: Scene): { share: number; lead: number } {
  const [subject = 0, ...others] = raysOf(scene);
  return { share: subject / GRID ** 2, lead: subject / Math.max(1, ...others) };
}

/** The share of the picture that each toy fills. */
export const sharesOf = (scene: Scene): number[] => raysOf(scene).map((count) => count / GRID ** 2);

/** Rays that meet each toy. The look does not depend on the size at which the scene is rendered. */
function raysOf(scene: Scene): number[] {
  const counts = new Array<number>(scene.objects.length).fill(0);
  const { surface } = lookAt(createTracer(scene), createCamera(scene.camera), wholeFilm(GRID));
  for (let i = 0; i < surface.length; i++) if (surface[i]! > 0) counts[objectOf(surface[i]!)]!++;
  return counts;
}
