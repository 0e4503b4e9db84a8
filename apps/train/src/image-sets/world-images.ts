/** Pictures of the generated world as a set, to which each kind of truth is added. */
import { type GeneratedWorld, readImage } from '@franca/data';
import type { ImageSet } from './image-set';

/** Whether `spec` names the generated world. */
export const isWorld = (spec: string): boolean => spec === 'world' || spec.startsWith('world:');

/** Of its videos and pictures with depth, in pixels, where neither their name nor a model says. */
export const WORLD_SIDE = 256;

/** Those that come first; default all. Kept in memory once they were read, where a sample is rendered every time. */
export const worldImages = (
  world: GeneratedWorld,
  { dataset, split, length = world.length }: Pick<ImageSet, 'dataset' | 'split'> & { readonly length?: number },
): ImageSet => ({
  dataset,
  split,
  total: length,
  length,
  classes: world.classes,
  ignore: undefined,
  notes: [],
  key: world.key,
  label: world.label,
  read: (index, signal) => readImage(world, index, {}, signal),
  version: world.version,
});
