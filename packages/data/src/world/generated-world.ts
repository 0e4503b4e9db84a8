/**
 * A data set without data: pictures of a generated world, with exact labels of every kind.
 *
 * The scenes come from numbers alone (`generatedScenes`). A picture takes milliseconds to render: threads do it where many
 * are read, and those that were read stay in memory, as far as 256 MiB go, so that an epoch after the first costs nothing.
 */

import type { PixelImage } from '../images/image';
import type { ImageSource } from '../images/image-source';
import { type GeneratedScenes, type GeneratedWorldOptions, worldScenes } from './generated-scenes';
import { gradeText, RENDERING } from './grades';
import { createRenderThreads } from './render-threads';

export interface GeneratedWorld extends ImageSource, GeneratedScenes {
  readonly length: number;
  readonly classes: readonly string[];
  label(index: number): number;
}

const MAX_KEPT_BYTES = 2 ** 28;

/**
 * Opens a generated world.
 * @throws DataError `argument` when an option is outside its range
 */
export function generatedWorld(options: GeneratedWorldOptions = {}): GeneratedWorld {
  const scenes = worldScenes(options);
  const { grade, classes, size, seed, split } = scenes.options;
  const threads = createRenderThreads();
  const kept = new Map<number, Promise<PixelImage>>();
  const room = Math.floor(MAX_KEPT_BYTES / (3 * size * size));
  const picture = (index: number): Promise<PixelImage> => {
    const image = kept.get(index) ?? threads.render({ scene: scenes.drawing(index), size });
    if (kept.size < room) kept.set(index, image);
    return image;
  };
  const graded = gradeText(grade);
  return {
    name: `generated ${graded}world (${split}, ${classes} classes, seed ${seed})`,
    length: scenes.length,
    classes: scenes.classes,
    key: (index) => `${split}/${index}`,
    version: (index) =>
      `${graded}world ${RENDERING[grade]}: scene ${scenes.position(index)} of ${classes} classes, seed ${seed}, ${size} px`,
    label: scenes.label,
    scene: scenes.scene,
    sample: scenes.sample,
    read: async (index) => ({ pixels: await picture(index) }),
    close: threads.close,
  };
}
