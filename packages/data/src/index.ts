export { type ByteFile, openLocalFile } from './files/byte-file';
export { defaultCacheDir } from './files/cache-dir';
export { type FetchFileOptions, fetchFile } from './files/fetch-file';
export { fileVersion } from './files/file-version';
export { type HttpOptions, openHttpFile } from './files/http-file';
export {
  fetchHubModel,
  type HubModel,
  type HubModelAddress,
  type HubModelOptions,
  parseHubModel,
} from './files/hub-model';
export { proxiedFetch } from './files/proxied-fetch';
export {
  type MatArray,
  type MatCells,
  type MatNumbers,
  type MatOther,
  type MatStructs,
  type MatText,
  type MatValue,
  readMatFile,
} from './formats/mat-file';
export type { NumberRows, ParquetColumn } from './formats/parquet-decoder';
export { openParquetTable, type ParquetTable } from './formats/parquet-table';
export type { DecodeLimits } from './formats/parquet-worker';
export { DECODER, type DecodeOptions, decodeImage, readImage } from './images/decode';
export { hasImageExtension, type ImageFormat, imageFormat } from './images/image-format';
export type { ClassCounts, ImageContent, ImageSource } from './images/image-source';
export type { BadImage, BadImageCounts, BadImagePolicy } from './loading/bad-images';
export {
  type LoadedBatch,
  type LoadedImage,
  type LoaderCursor,
  type LoaderOptions,
  loadBatches,
} from './loading/loader';
export { type HeldOut, type HoldOutOptions, holdOut, subset } from './loading/subset';
export * from './pixels';
export { type PrefetchOptions, prefetch } from './prefetch';
export type { Benchmark, BenchmarkFacts, BenchmarkLayout, BenchmarkMetric } from './sources/benchmarks/benchmark';
export {
  BENCHMARKS,
  type FoundBenchmark,
  findBenchmarks,
  openBenchmark,
  recogniseBenchmark,
} from './sources/benchmarks/benchmarks';
export { IMAGENET_CLASSES } from './sources/benchmarks/imagenet-classes';
export { type RealLabels, realLabels } from './sources/benchmarks/imagenet-real';
export { type OpenOod, type OutsideSet, openOpenOod } from './sources/benchmarks/openood';
export { cifarSource } from './sources/cifar';
export { type DatasetString, parseDatasetString } from './sources/dataset-string';
export { type FileTree, openFileTree, subtree } from './sources/file-tree';
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
export { type SharedClasses, shareClasses } from './sources/one-class-list';
export { openSource } from './sources/open-source';
export { type DataSplits, openSplits, openTestPart, type SplitOptions, type TestPart } from './sources/open-splits';
export { type ParquetOptions, parquetSource } from './sources/parquet';
export { type Recognised, recogniseSource } from './sources/recognise';
export type { OpenOptions, ParquetReading, Split } from './sources/source-kind';
export { splitFolderSource } from './sources/split-folders';
export { type WebDatasetOptions, webDatasetSource } from './sources/webdataset';
export { worldOptions } from './sources/world';
export { type GeneratedWorld, generatedWorld } from './world/generated-world';
