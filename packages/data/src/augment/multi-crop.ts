/**
 * Multi-crop: two large views and several small ones of each image, as plain records.
 *
 * Caron et al., SwAV, 2020, with the settings of DINOv2 and Franca. All views share flip, jitter and grayscale. They differ
 * in size and scale, in how often they are blurred, and in that only the second global view is ever solarized.
 */

import { checkArgument, DataError } from '../errors';
import { createRandom } from '../random';
import { BLUR_RADIUS } from './gaussian-blur';
import { drawView, type ViewParams, type ViewRecipe } from './view-params';

/** Settings. The first five names are those of the official YAML files (`crops:`). */
export interface MultiCropConfig {
  global_crops_scale: readonly [number, number];
  local_crops_number: number;
  local_crops_scale: readonly [number, number];
  global_crops_size: number;
  local_crops_size: number;
  crops_ratio: readonly [number, number];
  flip_probability: number;
  jitter_probability: number;
  jitter_brightness: number;
  jitter_contrast: number;
  jitter_saturation: number;
  jitter_hue: number;
  grayscale_probability: number;
  /**
   * How often the first global, second global and local views are blurred. `actual` (0, 0.9, 0.5) is what the official code
   * does, and what the released models saw; `nominal` (1, 0.1, 0.5) is what it says: its wrapper inverts the probability.
   */
  blur_probability: 'actual' | 'nominal';
  blur_sigma: readonly [number, number];
  solarize_probability: number;
  solarize_threshold: number;
}

/** Franca's settings for ViT-B and ViT-L on ImageNet-21k. */
export const FRANCA_MULTI_CROP: Readonly<MultiCropConfig> = {
  global_crops_scale: [0.32, 1],
  local_crops_number: 8,
  local_crops_scale: [0.05, 0.32],
  global_crops_size: 224,
  local_crops_size: 98,
  crops_ratio: [3 / 4, 4 / 3],
  flip_probability: 0.5,
  jitter_probability: 0.8,
  jitter_brightness: 0.4,
  jitter_contrast: 0.4,
  jitter_saturation: 0.2,
  jitter_hue: 0.1,
  grayscale_probability: 0.2,
  blur_probability: 'actual',
  blur_sigma: [0.1, 2],
  solarize_probability: 0.2,
  solarize_threshold: 128,
};

/** Global views per image. */
export const GLOBAL_VIEWS = 2;

const BLUR_PROBABILITY = {
  actual: { first: 0, second: 0.9, local: 0.5 },
  nominal: { first: 1, second: 0.1, local: 0.5 },
} as const;

/**
 * The recipes of one image's views: first global, second global, then the local ones.
 * @throws DataError bad-argument when a setting is outside its range
 */
export function multiCropRecipes(config: MultiCropConfig): ViewRecipe[] {
  checkArgument('multiCropRecipes', 'config', config, 'object');
  check(config);
  const blur = BLUR_PROBABILITY[config.blur_probability];
  const common = {
    ratio: config.crops_ratio,
    flipProbability: config.flip_probability,
    jitterProbability: config.jitter_probability,
    jitter: {
      brightness: config.jitter_brightness,
      contrast: config.jitter_contrast,
      saturation: config.jitter_saturation,
      hue: config.jitter_hue,
    },
    grayscaleProbability: config.grayscale_probability,
    blurSigma: config.blur_sigma,
    solarizeProbability: 0,
    solarizeThreshold: config.solarize_threshold,
  };
  const global = { ...common, size: config.global_crops_size, scale: config.global_crops_scale };
  const local = { ...common, size: config.local_crops_size, scale: config.local_crops_scale };
  return [
    { ...global, blurProbability: blur.first },
    { ...global, blurProbability: blur.second, solarizeProbability: config.solarize_probability },
    ...Array.from({ length: config.local_crops_number }, () => ({ ...local, blurProbability: blur.local })),
  ];
}

/** Identity of a sample in a run: with the view's index it keys the random stream. */
export interface SampleKey {
  /** Seed of the run. */
  seed: number;
  /** Position of the sample in the run's endless sequence: the `ordinal` of the loader's draw. */
  position: number;
}

/** Draws the parameters of every view of one `width x height` image. */
export function drawMultiCrop(
  recipes: readonly ViewRecipe[],
  image: { width: number; height: number },
  key: SampleKey,
): ViewParams[] {
  checkArgument('drawMultiCrop', 'recipes', recipes, 'list');
  checkArgument('drawMultiCrop', 'image', image, 'object');
  checkArgument('drawMultiCrop', 'key', key, 'object');
  return recipes.map((recipe, stream) => drawView(recipe, image.width, image.height, createRandom({ ...key, stream })));
}

/** A view with its source and its place: slot `s` of a batch `[slots, 3, size, size]`. */
export interface PlacedView {
  /** Index of the image in the batch's images. */
  image: number;
  slot: number;
  params: ViewParams;
}

/**
 * Places the views of a batch crop-major, the layout of the official collate function: all first views, then all second.
 * @param views `[sample][view]`, as `drawMultiCrop` gives them
 */
export function placeMultiCrop(views: readonly (readonly ViewParams[])[]): {
  global: PlacedView[];
  local: PlacedView[];
} {
  checkArgument('placeMultiCrop', 'views', views, 'list');
  const count = views.length;
  const place = (from: number, to: number): PlacedView[] =>
    views.flatMap((sample, image) =>
      sample.slice(from, to).map((params, view) => ({ image, slot: view * count + image, params })),
    );
  return { global: place(0, GLOBAL_VIEWS), local: place(GLOBAL_VIEWS, Number.POSITIVE_INFINITY) };
}

function check(config: MultiCropConfig): void {
  const refuse = (name: keyof MultiCropConfig, rule: string): never => {
    throw new DataError('bad-argument', `crops.${name} is ${JSON.stringify(config[name])}; it must be ${rule}`);
  };
  for (const name of ['global_crops_size', 'local_crops_size'] as const) {
    const size = config[name];
    if (!Number.isInteger(size) || size <= BLUR_RADIUS) {
      refuse(name, `an integer above ${BLUR_RADIUS}, the reach of the blur`);
    }
  }
  if (!Number.isInteger(config.local_crops_number) || config.local_crops_number < 0) {
    refuse('local_crops_number', 'an integer of at least 0');
  }
  for (const name of ['global_crops_scale', 'local_crops_scale'] as const) {
    const [low, high] = config[name];
    if (!(low > 0 && low <= high && high <= 1)) refuse(name, 'two shares 0 < low <= high <= 1 of the area');
  }
  for (const name of ['crops_ratio', 'blur_sigma'] as const) {
    const [low, high] = config[name];
    if (!(low > 0 && low <= high && high < Number.POSITIVE_INFINITY)) refuse(name, 'two numbers 0 < low <= high');
  }
  for (const name of ['flip', 'jitter', 'grayscale', 'solarize'] as const) {
    const probability = config[`${name}_probability`];
    if (!(probability >= 0 && probability <= 1)) refuse(`${name}_probability`, 'a probability');
  }
  for (const name of ['brightness', 'contrast', 'saturation'] as const) {
    const strength = config[`jitter_${name}`];
    if (!(strength >= 0 && strength < Number.POSITIVE_INFINITY)) refuse(`jitter_${name}`, 'a number of at least 0');
  }
  if (!(config.jitter_hue >= 0 && config.jitter_hue <= 0.5)) refuse('jitter_hue', 'in turns, from 0 to 0.5');
  if (!(config.solarize_threshold >= 0 && config.solarize_threshold <= 255)) {
    refuse('solarize_threshold', 'a level from 0 to 255');
  }
  if (!(config.blur_probability in BLUR_PROBABILITY)) refuse('blur_probability', '"actual" or "nominal"');
}
