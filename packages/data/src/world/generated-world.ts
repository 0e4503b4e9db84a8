/**
 * A data set without data: pictures of a generated world, with exact labels of every kind.
 *
 * Everything is a function of seed, split and index, so that any two machines see the same pictures, nothing is stored on
 * disk, and a longer world begins with the shorter one. Train and validation never share a scene. A picture takes
 * milliseconds to render: threads do it where many are read, and those that were read stay in memory, as far as 256 MiB go,
 * so that an epoch after the first costs nothing.
 */

import { DataError } from '../errors';
import type { PixelImage } from '../images/image';
import type { ImageSource } from '../images/image-source';
import { drawScene, sceneLabel } from './draw-scene';
import { GRADES, type Grade } from './grades';
import { type RenderedScene, renderScene } from './render-scene';
import { createRenderThreads } from './render-threads';
import { className, MAX_CLASSES, type Scene } from './scene';

export interface GeneratedWorldOptions {
  /** How much besides the class differs from picture to picture. Default `hard`. */
  grade?: Grade;
  /** Pictures. Default 2000. */
  length?: number;
  /** Classes, from 2 to `MAX_CLASSES`. Default 10. */
  classes?: number;
  /** Side of the pictures in pixels, from 8 to 2048. Default 128. */
  size?: number;
  /** Default 0. */
  seed?: number;
  /** Default `train`. */
  split?: 'train' | 'val';
}

export interface GeneratedWorld extends ImageSource {
  readonly classes: readonly string[];
  label(index: number): number;
  /** The scene as plain data, to be looked into or changed and given to `renderScene`. */
  scene(index: number): Scene;
  /** The picture with everything that is known about it. */
  sample(index: number): RenderedScene;
}

/** Another one whenever a scene is drawn or rendered with other pixels, so that no older features are taken for them. */
const RENDERING: Readonly<Record<Grade, number>> = { easy: 2, medium: 2, hard: 1 };

/** Scenes of the training split, in multiples of the number of classes; the validation split lies beyond. */
const SPLIT_BLOCKS = 2 ** 40;

const MAX_KEPT_BYTES = 2 ** 28;

/**
 * Opens a generated world.
 * @throws DataError bad-argument when an option is outside its range
 */
export function generatedWorld(options: GeneratedWorldOptions = {}): GeneratedWorld {
  const { grade = 'hard', length = 2000, classes = 10, size = 128, seed = 0, split = 'train' } = options;
  if (!GRADES.includes(grade))
    throw new DataError('bad-argument', `grade of the generated world is ${grade}; it must be ${GRADES.join(', ')}`);
  inRange('length', length, 1, SPLIT_BLOCKS);
  inRange('classes', classes, 2, MAX_CLASSES);
  inRange('size', size, 8, 2048);
  inRange('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  const first = split === 'val' ? SPLIT_BLOCKS * classes : 0;
  const position = (index: number): number => {
    inRange('index', index, 0, length - 1);
    return first + index;
  };
  const drawing = (index: number): Parameters<typeof drawScene> => [position(index), classes, seed, grade];
  const scene = (index: number): Scene => drawScene(...drawing(index));
  const threads = createRenderThreads();
  const kept = new Map<number, Promise<PixelImage>>();
  const room = Math.floor(MAX_KEPT_BYTES / (3 * size * size));
  const picture = (index: number): Promise<PixelImage> => {
    const image = kept.get(index) ?? threads.render({ scene: drawing(index), size });
    if (kept.size < room) kept.set(index, image);
    return image;
  };
  // the hard world is the one that had no grade
  const graded = grade === 'hard' ? '' : `${grade} `;
  return {
    name: `generated ${graded}world (${split}, ${classes} classes, seed ${seed})`,
    length,
    classes: Array.from({ length: classes }, (_, index) => className(index, grade)),
    key: (index) => `${split}/${index}`,
    version: (index) =>
      `${graded}world ${RENDERING[grade]}: scene ${position(index)} of ${classes} classes, seed ${seed}, ${size} px`,
    label: (index) => sceneLabel(position(index), classes, seed),
    scene,
    sample: (index) => renderScene(scene(index), size),
    read: async (index) => ({ pixels: await picture(index) }),
    close: threads.close,
  };
}

function inRange(name: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new DataError(
    'bad-argument',
    `${name} of the generated world is ${value}; it must be an integer from ${low} to ${high}`,
  );
}
