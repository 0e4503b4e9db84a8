export { OnnxError, type OnnxErrorCode } from './errors';
export type { OutputNames } from './run/find-outputs';
export type { PixelMap } from './run/image-input';
export { filesOfOnnx } from './run/model-files';
export type { OnnxOptions } from './run/onnx-options';
export { type OnnxModel, openOnnx } from './run/open-onnx';
export type { Precision } from './write/graph-builder';
export type { OnnxSource } from './write/source';
export { type OnnxWriteOptions, type WrittenOnnx, writeVitOnnx } from './write/write-vit-onnx';
