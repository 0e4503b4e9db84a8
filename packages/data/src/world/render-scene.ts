/**
 * Renders a scene with everything that is known about it: masks, depth, boxes, keypoints.
 *
 * One ray through each pixel's centre decides masks and depth; pixels at an outline are coloured by four more rays, so that
 * edges are smooth in the picture and exact in the masks.
 */

import { checkArgument, checkCount } from '../errors';
import type { PixelImage } from '../images/image';
import { type Camera, createCamera } from './camera';
import { toWorld } from './placed-toy';
import type { Scene } from './scene';
import { createShader, type Shader } from './shade';
import { TOYS } from './toys';
import { createTracer, type Hit, type Tracer } from './tracer';
import { lookAt, objectOf, wholeFilm } from './view';

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

/**
 * Renders `size x size` pixels with all labels.
 * @throws DataError `argument` for what is no scene, or no size in pixels
 */
export function renderScene(scene: Scene, size: number): RenderedScene {
  checkArgument('renderScene', 'scene', scene, 'object');
  checkArgument('renderScene', 'scene.camera', scene.camera, 'object');
  checkCount('renderScene', 'size', size, 1);
  const { data, surface, depth, tracer } = paint(scene, size);
  const instance = new Uint8Array(size * size);
  for (let i = 0; i < instance.length; i++) instance[i] = objectOf(surface[i]!) + 1;
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

/** Renders the picture alone: the same pixels. */
export function renderPicture(scene: Scene, size: number): PixelImage {
  return { width: size, height: size, channels: 3, data: paint(scene, size).data };
}

interface Painting {
  readonly data: Uint8Array;
  /** Which part of which toy each pixel shows, see `surfaceOf`; 0 for background. */
  readonly surface: Uint16Array;
  readonly depth: Float32Array;
  readonly tracer: Tracer;
}

function paint(scene: Scene, size: number): Painting {
  const camera = createCamera(scene.camera);
  const tracer = createTracer(scene);
  const shader = createShader(scene, tracer, camera);
  const { t, surface, grid } = lookAt(tracer, camera, wholeFilm(size));
  const depth = new Float32Array(size * size);
  const data = new Uint8Array(size * size * 3);
  const colour = new Float64Array(3);
  const hit = { t: 0, object: -1, part: 0 };
  for (let y = 0, i = 0; y < size; y++) {
    for (let x = 0; x < size; x++, i++) {
      setHit(hit, t[i]!, surface[i]!);
      grid.ray(x, y, 0, shader.ray);
      shader.shade(colour, hit);
      if (hit.object < 0) surface[i] = 0;
      depth[i] = hit.t === Number.POSITIVE_INFINITY ? 0 : hit.t;
      writePixel(data, i, colour);
    }
  }
  smoothOutlines(data, { shader, tracer, camera, surface, size });
  return { data, surface, depth, tracer };
}

/** Colours the pixels at outlines again, each as the mean of four rays. */
function smoothOutlines(
  data: Uint8Array,
  {
    shader,
    tracer,
    camera,
    surface,
    size,
  }: Pick<Painting, 'surface' | 'tracer'> & { shader: Shader; camera: Camera; size: number },
): void {
  const chosen = new Int32Array(size * size).fill(-1);
  let count = 0;
  for (let y = 0, i = 0; y < size; y++) {
    for (let x = 0; x < size; x++, i++) if (isOutline(surface, size, x, y)) chosen[i] = count++;
  }
  const view = lookAt(tracer, camera, { size, offsets: SUBPIXELS, chosen, count });
  const colour = new Float64Array(3);
  const sum = new Float64Array(3);
  const hit = { t: 0, object: -1, part: 0 };
  for (let i = 0; i < chosen.length; i++) {
    if (chosen[i]! < 0) continue;
    const x = i % size;
    const y = (i - x) / size;
    sum.fill(0);
    for (let k = 0; k < SUBPIXELS.length; k++) {
      const at = chosen[i]! * SUBPIXELS.length + k;
      setHit(hit, view.t[at]!, view.surface[at]!);
      view.grid.ray(x, y, k, shader.ray);
      shader.shade(colour, hit);
      for (let channel = 0; channel < 3; channel++) sum[channel] = sum[channel]! + colour[channel]! / 4;
    }
    writePixel(data, i, sum);
  }
}

const SUBPIXELS = [
  [0.25, 0.25],
  [0.75, 0.25],
  [0.25, 0.75],
  [0.75, 0.75],
] as const;

function setHit(hit: Hit, t: number, surface: number): void {
  hit.t = t;
  hit.object = objectOf(surface);
  hit.part = surface & 255;
}

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

/** The key points of toy `index`, whether or not any of its pixels is seen. */
export function keypointsOf(scene: Scene, tracer: Tracer, index: number, size: number): Keypoint[] {
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
