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
export { DataError, type DataErrorCode, type ImageErrorCode, isImageError } from './errors';
export { type ByteFile, openLocalFile } from './files/byte-file';
export { defaultCacheDir } from './files/cache-dir';
export { fileVersion } from './files/file-version';
export { type HttpOptions, openHttpFile } from './files/http-file';
export { DECODER, type DecodeOptions, decodeImage, readImage } from './images/decode';
export type { ImageBatch, PixelImage } from './images/image';
export { type ImageFormat, imageFormat } from './images/image-format';
export type { ImageContent, ImageSource } from './images/image-source';
export type { BadImage, BadImageCounts, BadImagePolicy } from './loading/bad-images';
export {
  type LoadedBatch,
  type LoadedImage,
  type LoaderCursor,
  type LoaderOptions,
  loadBatches,
} from './loading/loader';
export { createSampler, type Draw, type Sampler, type SamplerOptions, type SamplerState } from './loading/sampler';
export { shuffledOrder } from './loading/shuffle';
export { type HeldOut, type HoldOutOptions, holdOut, subset } from './loading/subset';
export { type PrefetchOptions, prefetch } from './prefetch';
export { createRandom, permutation, type Random, type RandomState } from './random';
export { cifarSource } from './sources/cifar';
export { type DatasetString, parseDatasetString } from './sources/dataset-string';
export {
  type FetchFlowersOptions,
  FLOWER_PHOTOS,
  type FlowerArchive,
  type FlowerProgress,
  type Flowers,
  fetchFlowers,
} from './sources/flowers';
export { type FolderOptions, folderSource } from './sources/folder';
export { type HubSourceOptions, hubSource } from './sources/hub';
export { idxSource } from './sources/idx';
export { type ImageNet22kOptions, imageNet22kSource } from './sources/imagenet22k';
export type { SourceKindName } from './sources/kinds';
export { type ListOptions, listSource } from './sources/list';
export { type MemoryImage, memorySource } from './sources/memory';
export { openSource } from './sources/open-source';
export { type DataSplits, openSplits, type SplitOptions } from './sources/open-splits';
export { type ParquetOptions, parquetSource } from './sources/parquet';
export { type Recognised, recogniseSource } from './sources/recognise';
export type { OpenOptions, ParquetReading, Split } from './sources/source-kind';
export { splitFolderSource } from './sources/split-folders';
export { type WebDatasetOptions, webDatasetSource } from './sources/webdataset';
export { worldOptions } from './sources/world';
export { type GeneratedWorld, type GeneratedWorldOptions, generatedWorld } from './world/generated-world';
export { type Keypoint, type LabelledObject, type RenderedScene, renderScene } from './world/render-scene';
export type { Scene, SceneObject } from './world/scene';
