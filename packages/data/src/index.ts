export { type Box, type ResizeOptions, resizeBicubic } from './augment/bicubic';
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
export { IMAGENET_NORMALIZATION, type Normalization, normalizationTable, normalize } from './augment/normalize';
export { pilGaussianBlur } from './augment/pil-gaussian-blur';
export {
  PREPROCESS_224,
  PREPROCESS_518,
  type Preprocessing,
  preprocess,
  resizeAndCrop,
  resizedSize,
} from './augment/preprocess';
export { randomResizedCrop } from './augment/random-resized-crop';
export { renderView, renderViews } from './augment/render-view';
export { solarize } from './augment/solarize';
export { drawView, type ViewParams, type ViewRecipe } from './augment/view-params';
export type { BadImage, BadImageCounts, BadImagePolicy } from './bad-images';
export { DataError, type DataErrorCode, type ImageErrorCode, isImageError } from './data-error';
export { type DecodeOptions, decodeImage, readImage } from './decode';
export type { PixelImage } from './image';
export { type ImageFormat, imageFormat } from './image-format';
export type { ImageContent, ImageSource } from './image-source';
export { type ImageBatch, type LoadedImage, type LoaderCursor, type LoaderOptions, loadBatches } from './loader';
export { type PrefetchOptions, prefetch } from './prefetch';
export { createRandom, permutation, philox4x32, type Random, type RandomState } from './random';
export { createSampler, type Draw, type Sampler, type SamplerOptions, type SamplerState } from './sampler';
export { shuffledOrder } from './shuffle';
export { type MemoryImage, memorySource } from './sources/memory';
export { type GeneratedWorld, type GeneratedWorldOptions, generatedWorld } from './world/generated-world';
export { type Keypoint, type LabelledObject, type RenderedScene, renderScene } from './world/render-scene';
export type { Scene, SceneObject } from './world/scene';
