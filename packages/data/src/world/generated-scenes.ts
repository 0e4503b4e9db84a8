/**
 * The scenes of the generated world, from nothing but numbers: which picture an index is, its class, and everything that is known about it.
 *
 * Everything is a function of seed, split and index, so that any two machines see the same pictures, nothing is stored on
 * disk, and a longer world begins with the shorter one. Train and validation never share a scene.
 */

import type { OptionKinds } from '@franca/tensor';
import { checkOptions, DataError } from '../errors';
import { drawScene, sceneLabel } from './draw-scene';
import { GRADES, type Grade } from './grades';
import { type RenderedScene, renderScene } from './render-scene';
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

const OPTIONS: OptionKinds<GeneratedWorldOptions> = {
  grade: GRADES,
  length: 'number',
  classes: 'number',
  size: 'number',
  seed: 'number',
  split: ['train', 'val'],
};

export interface GeneratedScenes {
  /** Pictures. */
  readonly length: number;
  readonly classes: readonly string[];
  /** Class of the subject, a position in `classes`. */
  label(index: number): number;
  /** The scene as plain data, to be looked into or changed and given to `renderScene`. */
  scene(index: number): Scene;
  /** The picture with everything that is known about it. */
  sample(index: number): RenderedScene;
}

/** Scenes with what a data set asks beyond them: all settings, and how each scene is drawn. */
export interface WorldScenes extends GeneratedScenes {
  readonly options: Required<GeneratedWorldOptions>;
  /** Place of a scene among those of all splits. */
  position(index: number): number;
  /** What `drawScene` takes. */
  drawing(index: number): Parameters<typeof drawScene>;
}

/** Scenes of the training split, in multiples of the number of classes; the validation split lies beyond. */
const SPLIT_BLOCKS = 2 ** 40;

/**
 * Opens the scenes of a generated world; needs neither files nor threads, so that it runs in a browser too.
 * @throws DataError `argument` when an option is outside its range
 */
export function generatedScenes(options: GeneratedWorldOptions = {}): GeneratedScenes {
  const { length, classes, label, scene, sample } = worldScenes(options);
  return { length, classes, label, scene, sample };
}

/** @throws DataError `argument` when an option is outside its range */
export function worldScenes(given: GeneratedWorldOptions): WorldScenes {
  checkOptions('generated world', given, OPTIONS);
  const { grade = 'hard', length = 2000, classes = 10, size = 128, seed = 0, split = 'train' } = given;
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
  return {
    options: { grade, length, classes, size, seed, split },
    length,
    classes: Array.from({ length: classes }, (_, index) => className(index, grade)),
    position,
    drawing,
    label: (index) => sceneLabel(position(index), classes, seed),
    scene,
    sample: (index) => renderScene(scene(index), size),
  };
}

/** Refuses a number that is no integer of a range. */
export function inRange(name: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new DataError(
    'argument',
    `${name} of the generated world is ${value}; it must be an integer from ${low} to ${high}`,
  );
}
