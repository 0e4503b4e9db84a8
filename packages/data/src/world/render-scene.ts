/**
 * Renders a scene with everything that is known about it: masks, depth, boxes, keypoints.
 *
 * One ray through each pixel's centre decides masks and depth; pixels at an outline are coloured by four more rays, so that
 * edges are smooth in the picture and exact in the masks.
 */

import type { PixelImage } from '../images/image';
import { createCamera } from './camera';
import { toWorld } from './placed-toy';
import type { Scene } from './scene';
import { createShader } from './shade';
import { TOYS } from './toys';
import { createTracer, type Tracer } from './tracer';

/** One toy of a picture. */
export interface LabelledObject {
  class: number;
  /** Value of the toy's pixels in the instance mask, from 1. */
  instance: number;
  /** Bounding box of its visible pixels: `x1` and `y1` are exclusive. */
  box: { x0: number; y0: number; x1: number; y1: number };
  /** Visible pixels. */
  area: number;
  keypoints: Keypoint[];
}

export interface Keypoint {
  name: string;
  /** Position in pixels; the centre of the first pixel is (0.5, 0.5). May lie outside the picture when not visible. */
  x: number;
  y: number;
  depth: number;
  /** Inside the picture with nothing in front: neither another toy nor a part of its own. */
  visible: boolean;
}

export interface RenderedScene {
  image: PixelImage;
  /** Class of the subject. */
  label: number;
  /** `[height, width]`: 0 for background, else class + 1. */
  semantic: Uint8Array;
  /** `[height, width]`: 0 for background, else the instance. */
  instance: Uint8Array;
  /** `[height, width]`: distance along the optical axis in toy heights, 0 for open sky. */
  depth: Float32Array;
  /** Toys of which at least one pixel is seen; the subject comes first. */
  objects: LabelledObject[];
}

/** Depth, in shares of a toy's height, by which a keypoint may lie below the surface that the ray to it meets. */
const KEYPOINT_SLACK = 0.05;

/** Renders `size x size` pixels. */
export function renderScene(scene: Scene, size: number): RenderedScene {
  const camera = createCamera(scene.camera);
  const tracer = createTracer(scene);
  const shader = createShader(scene, camera, tracer);
  const at = (pixel: number): number => (2 * pixel) / size - 1;

  const instance = new Uint8Array(size * size);
  const depth = new Float32Array(size * size);
  // Which part of which toy a pixel shows, to find outlines.
  const surface = new Uint16Array(size * size);
  const data = new Uint8Array(size * size * 3);
  const colour = new Float64Array(3);
  const hit = { t: 0, object: -1, part: 0 };
  for (let y = 0, i = 0; y < size; y++) {
    for (let x = 0; x < size; x++, i++) {
      const t = shader.shade(at(x + 0.5), -at(y + 0.5), colour, hit);
      instance[i] = hit.object + 1;
      depth[i] = t === Number.POSITIVE_INFINITY ? 0 : t;
      surface[i] = hit.object < 0 ? 0 : 256 * (hit.object + 1) + hit.part;
      writePixel(data, i, colour);
    }
  }

  const sum = new Float64Array(3);
  for (let y = 0, i = 0; y < size; y++) {
    for (let x = 0; x < size; x++, i++) {
      if (!isOutline(surface, size, x, y)) continue;
      sum.fill(0);
      for (const [dx, dy] of SUBPIXELS) {
        shader.shade(at(x + dx), -at(y + dy), colour, hit);
        for (let channel = 0; channel < 3; channel++) sum[channel] = sum[channel]! + colour[channel]! / 4;
      }
      writePixel(data, i, sum);
    }
  }

  const classes = Uint8Array.from([0, ...scene.objects.map((object) => object.class + 1)]);
  return {
    image: { width: size, height: size, channels: 3, data },
    label: scene.label,
    semantic: instance.map((value) => classes[value]!),
    instance,
    depth,
    objects: labelObjects(scene, tracer, instance, size),
  };
}

const SUBPIXELS = [
  [0.25, 0.25],
  [0.75, 0.25],
  [0.25, 0.75],
  [0.75, 0.75],
] as const;

/** Linear light to a byte, by a gamma of 2. */
function writePixel(data: Uint8Array, pixel: number, colour: Float64Array): void {
  for (let channel = 0; channel < 3; channel++) {
    data[3 * pixel + channel] = 255 * Math.sqrt(Math.min(1, colour[channel]!)) + 0.5;
  }
}

/** Whether a pixel shows another surface than one of its four neighbours. */
function isOutline(surface: Uint16Array, size: number, x: number, y: number): boolean {
  const i = y * size + x;
  const own = surface[i]!;
  return (
    (x > 0 && surface[i - 1] !== own) ||
    (x < size - 1 && surface[i + 1] !== own) ||
    (y > 0 && surface[i - size] !== own) ||
    (y < size - 1 && surface[i + size] !== own)
  );
}

function labelObjects(scene: Scene, tracer: Tracer, instance: Uint8Array, size: number): LabelledObject[] {
  const labelled = scene.objects.map(
    (object, index): LabelledObject => ({
      class: object.class,
      instance: index + 1,
      box: { x0: size, y0: size, x1: 0, y1: 0 },
      area: 0,
      keypoints: keypointsOf(scene, tracer, index, size),
    }),
  );
  for (let y = 0, i = 0; y < size; y++) {
    for (let x = 0; x < size; x++, i++) {
      const found = labelled[instance[i]! - 1];
      if (!found) continue;
      const { box } = found;
      found.area++;
      box.x0 = Math.min(box.x0, x);
      box.y0 = Math.min(box.y0, y);
      box.x1 = Math.max(box.x1, x + 1);
      box.y1 = Math.max(box.y1, y + 1);
    }
  }
  return labelled.filter(({ area }) => area > 0);
}

function keypointsOf(scene: Scene, tracer: Tracer, index: number, size: number): Keypoint[] {
  const camera = createCamera(scene.camera);
  const object = scene.objects[index]!;
  const ray = new Float64Array(6);
  const hit = { t: 0, object: -1, part: 0 };
  return Object.entries(TOYS[object.toy]!.keypoints).map(([name, point]) => {
    const { u, v, depth } = camera.project(toWorld(object, point));
    const inside = depth > 0 && Math.abs(u) < 1 && Math.abs(v) < 1;
    camera.ray(u, v, ray);
    tracer.trace(ray, hit);
    const seen = hit.t > depth - KEYPOINT_SLACK * object.scale;
    return { name, x: ((u + 1) / 2) * size, y: ((1 - v) / 2) * size, depth, visible: inside && seen };
  });
}
