/**
 * Draws a view's parameters, apart from applying them.
 *
 * A recipe states the distribution; `drawView` turns it, an image size and a random stream into a plain record that says
 * everything about one view. The record is all that the renderers need: the TypeScript one and the GPU one give the same
 * picture from the same record, and since the stream is a function of (seed, sample position, view), so is the record.
 */

import { checkArgument } from '../errors';
import { permutation, type Random } from '../random';
import type { Box } from './bicubic';
import { JITTER_STEPS, type Jitter } from './color-jitter';
import { randomResizedCrop } from './random-resized-crop';

/** Distribution of one view. Probabilities are in `[0, 1]`, ranges are `[low, high]`. */
export interface ViewRecipe {
  /** Side of the view in pixels. */
  size: number;
  /** Share of the image's area. */
  scale: readonly [number, number];
  /** Width / height of the crop. */
  ratio: readonly [number, number];
  flipProbability: number;
  jitterProbability: number;
  /** Largest deviation of each factor: brightness, contrast, saturation from 1, hue from 0. */
  jitter: Readonly<Record<'brightness' | 'contrast' | 'saturation' | 'hue', number>>;
  grayscaleProbability: number;
  blurProbability: number;
  /** Standard deviation of the blur in pixels of the view. */
  blurSigma: readonly [number, number];
  solarizeProbability: number;
  solarizeThreshold: number;
}

/** Everything about one view: plain data. `null` leaves a step out. */
export interface ViewParams {
  /** Side of the view in pixels. */
  size: number;
  /** Part of the image that the view shows. */
  box: Box;
  /** Mirrored left to right. */
  flip: boolean;
  jitter: Jitter | null;
  grayscale: boolean;
  /** Standard deviation of the blur in pixels of the view. */
  blurSigma: number | null;
  /** Threshold in levels, `[0, 255]`. */
  solarize: number | null;
}

/**
 * Draws a view of a `width x height` image: crop, flip, jitter, grayscale, blur, solarize, in this order.
 * @param random the view's own stream, at its start
 */
export function drawView(recipe: ViewRecipe, width: number, height: number, random: Random): ViewParams {
  checkArgument('drawView', 'recipe', recipe, 'object');
  return {
    size: recipe.size,
    box: randomResizedCrop(width, height, recipe.scale, recipe.ratio, random),
    flip: random.chance(recipe.flipProbability),
    jitter: random.chance(recipe.jitterProbability) ? drawJitter(recipe.jitter, random) : null,
    grayscale: random.chance(recipe.grayscaleProbability),
    blurSigma: random.chance(recipe.blurProbability) ? random.uniform(...recipe.blurSigma) : null,
    solarize: random.chance(recipe.solarizeProbability) ? recipe.solarizeThreshold : null,
  };
}

function drawJitter(strength: ViewRecipe['jitter'], random: Random): Jitter {
  const around = (center: number, deviation: number): number =>
    random.uniform(Math.max(0, center - deviation), center + deviation);
  return {
    order: permutation(JITTER_STEPS.length, random).map((step) => JITTER_STEPS[step]!),
    brightness: around(1, strength.brightness),
    contrast: around(1, strength.contrast),
    saturation: around(1, strength.saturation),
    hue: random.uniform(-strength.hue, strength.hue),
  };
}
