/**
 * `@franca/data/pixels`: all of this package that needs nothing but numbers, for browsers too. Preprocessing, crops and augmentation
 * on decoded pixels, the order of samples, random streams, and the scenes of the generated world.
 */
export { type Box, type ResizeOptions, resizeBicubic, resizeBilinear } from './augment/bicubic';
export { colorJitter, JITTER_STEPS, type Jitter, type JitterStep } from './augment/color-jitter';
export { gaussianBlur } from './augment/gaussian-blur';
export {
  createGpuAugmenter,
  type GpuAugmenter,
  type GpuAugmenterOptions,
  type ViewBatch,
} from './augment/gpu-augmenter';
export { grayscale } from './augment/grayscale';
export { rotateHue } from './augment/hue';
export {
  drawMultiCrop,
  FRANCA_MULTI_CROP,
  GLOBAL_VIEWS,
  type MultiCropConfig,
  multiCropRecipes,
  type PlacedView,
  placeMultiCrop,
  type SampleKey,
} from './augment/multi-crop';
export { IMAGENET_NORMALISATION, type Normalisation, normalisationTable, normalise } from './augment/normalise';
export { pilGaussianBlur } from './augment/pil-gaussian-blur';
export {
  PREPROCESS_224,
  PREPROCESS_518,
  type Preprocessing,
  preprocess,
  preprocessInto,
  resizeAndCrop,
  resizedSize,
} from './augment/preprocess';
export { randomResizedCrop } from './augment/random-resized-crop';
export { renderView, renderViews, renderViewsInto } from './augment/render-view';
export { solarize } from './augment/solarize';
export { drawView, type ViewParams, type ViewRecipe } from './augment/view-params';
export { type WarpedSize, warpImage } from './augment/warp-image';
export { DataError, type DataErrorCode, type ImageErrorCode, isImageError } from './errors';
export type { ImageBatch, PixelImage } from './images/image';
export type { SourceFingerprint } from './images/source-fingerprint';
export { createSampler, type Draw, type Sampler, type SamplerOptions, type SamplerState } from './loading/sampler';
export { shuffledOrder } from './loading/shuffle';
export { createRandom, permutation, type Random, type RandomState } from './random';
export { type GeneratedPair, type GeneratedPairsOptions, generatedPairs } from './world/generated-pairs';
export { type GeneratedScenes, type GeneratedWorldOptions, generatedScenes } from './world/generated-scenes';
export {
  type GeneratedTracks,
  type GeneratedVideo,
  type GeneratedVideos,
  type GeneratedVideosOptions,
  generatedVideos,
} from './world/generated-videos';
export { type Keypoint, type LabelledObject, type RenderedScene, renderScene } from './world/render-scene';
export type { Covering, Scene, SceneObject } from './world/scene';
export type { Triple } from './world/toys';
