/** How clearly the first toy of a scene is its subject, by a coarse look through the camera. */

import { createCamera } from './camera';
import type { Scene } from './scene';
import { createTracer } from './tracer';

/** Rays a side of the coarse look. */
const GRID = 24;

/**
 * The share of the picture that the first toy fills, and how many times the next largest toy it is. The look does not depend
 * on the size at which the scene is rendered.
 */
export function dominance(scene: Scene): { share: number; lead: number } {
  const tracer = createTracer(scene);
  const camera = createCamera(scene.camera);
  const counts = new Array<number>(scene.objects.length).fill(0);
  const ray = new Float64Array(6);
  const hit = { t: 0, object: -1, part: 0 };
  for (let y = 0; y < GRID; y++) {
    for (let x = 0; x < GRID; x++) {
      camera.ray((2 * x + 1) / GRID - 1, 1 - (2 * y + 1) / GRID, ray);
      tracer.trace(ray, hit);
      if (hit.object >= 0) counts[hit.object]!++;
    }
  }
  const [subject = 0, ...others] = counts;
  return { share: subject / GRID ** 2, lead: subject / Math.max(1, ...others) };
}
